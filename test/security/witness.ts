/**
 * A well-behaved user on both nodes while they are attacked: their pings are answered, messages
 * from one node arrive on the other, and nobody closes them.
 */
import { RawClient } from '../support/raw-client.js';
import { World, nodeA, nodeB, wsUrl } from '../support/world.js';

const PING_EVERY_MS = 100;

export class Witness {
  private readonly timer = setInterval(() => this.ping(), PING_EVERY_MS);
  private pings = 0;

  private constructor(
    private readonly room: string,
    private readonly clients: readonly [RawClient, RawClient],
  ) {}

  static async start(world: World): Promise<Witness> {
    const eve = await world.user('witness');
    const room = await world.room(eve);
    const clients = await Promise.all(
      [nodeA(), nodeB()].map((base) => RawClient.live(wsUrl(base), eve.token)),
    );
    await Promise.all(clients.map((client) => client.subscribe(room)));
    return new Witness(room, clients as [RawClient, RawClient]);
  }

  /** Throws if anything of theirs was lost, refused or closed. */
  async unharmed(): Promise<void> {
    const [here, there] = this.clients;
    const { message_id } = await here.publish(this.room, 'all is well');
    await there.next((frame) => frame.type === 'message' && frame.message_id === message_id);
    await Promise.all(this.clients.map((client) => client.settled()));
    for (const { frames } of this.clients) {
      const trouble = frames.filter(
        ({ type }) => type === 'error' || type === 'goodbye' || type === 'paused',
      );
      if (trouble.length > 0) throw new Error(`the witness was told ${JSON.stringify(trouble)}`);
      const pongs = frames.filter(({ type, id }) => type === 'pong' && id === undefined).length;
      if (pongs < this.pings - 1) throw new Error(`${pongs} pongs to ${this.pings} pings`);
    }
  }

  stop(): void {
    clearInterval(this.timer);
    for (const client of this.clients) client.ws.terminate();
  }

  private ping(): void {
    this.pings += 1;
    for (const client of this.clients) client.send({ type: 'ping' });
  }
}
