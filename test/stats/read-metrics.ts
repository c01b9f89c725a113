/** Counters of nodes, as Prometheus reads them. */
import type { NodeProcess } from '../support/node-process.js';

/** Sum over the nodes of the samples of `name` whose labels contain `labels`. */
export async function counted(
  nodes: NodeProcess[],
  name: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const texts = await Promise.all(
    nodes.map(async (node) => (await fetch(`${node.internalUrl}/metrics`)).text()),
  );
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
