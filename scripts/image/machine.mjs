/**
 * A machine with Docker and Docker Compose: Debian by debootstrap, and a daemon in namespaces of
 * its own (mounts, network, processes), so that nothing of it is left on the host and no port of
 * the host is used. It reaches no network.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../lib/children.mjs';
import { quietly, run, until } from './steps.mjs';

/** The first Debian whose Compose knows `env_file: [{ path, required }]` (Compose 2.24). */
const SUITE = 'trixie';
const PACKAGES = [
  ...['docker.io', 'docker-cli', 'docker-compose', 'iptables', 'ca-certificates'],
  // for the commands of the README
  ...['curl', 'openssl'],
];
const FIRST_PROCESS = new URL('entry/machine.sh', import.meta.url).pathname;

/** Debian in `folder`, with these packages; a folder that was finished before is taken as it is. */
export function debian(folder, suite, packages) {
  const done = join(folder, 'etc/wardroom-finished');
  if (existsSync(done)) return;
  rmSync(folder, { recursive: true, force: true });
  // debootstrap knows releases by name; the script of `sid` serves one that it does not know yet
  const script = existsSync(`/usr/share/debootstrap/scripts/${suite}`) ? suite : 'sid';
  const include = `--include=${packages.join(',')}`;
  quietly('debootstrap', '--variant=minbase', include, suite, folder, '', script);
  quietly('touch', done);
}

export class Machine {
  /** @param {string} root */
  constructor(root) {
    this.root = root;
    this.log = `${root}.log`;
  }

  /** The words of the daemon, which is quiet while all is well. */
  said() {
    return readFileSync(this.log, 'utf8');
  }

  make() {
    debian(this.root, SUITE, PACKAGES);
  }

  async start() {
    const log = openSync(this.log, 'w');
    const args = '--mount --net --pid --uts --ipc --fork --kill-child'.split(' ');
    this.child = startChild('unshare', [...args, FIRST_PROCESS, this.root], {
      stdio: ['ignore', log, log],
      stopSignal: 'SIGKILL', // it ignores SIGTERM
    });
    closeSync(log);
    await until(
      'a Docker daemon',
      async () => this.try('docker', 'version').status === 0,
      () => this.said(),
    );
  }

  /** The way into the network of the machine, for a program of the host. */
  get network() {
    return ['nsenter', '--target', String(this.child?.pid), '--net'];
  }

  /** Shows what the command says. @param {...string} command */
  run(...command) {
    run('nsenter', ...this.#inside(command));
  }

  /** Answers the output of the command. @param {...string} command */
  text(...command) {
    const { status, stdout, stderr } = this.try(...command);
    if (status !== 0) throw new Error(`${command.slice(0, 4).join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  /** @param {...string} command */
  try(...command) {
    return spawnSync('nsenter', this.#inside(command), { encoding: 'utf8', maxBuffer: 1e8 });
  }

  #inside(command) {
    const target = ['--target', String(this.child?.pid), '--mount', '--net', '--uts', '--ipc'];
    return [...target, ...command];
  }
}
