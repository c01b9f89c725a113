/**
 * Imported first by every command: ends with a sentence, not with a syntax error, on a Node that is
 * too old.
 */
var version = process.versions.node.split('.').map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  console.error('Wardroom needs Node 20.19 or newer; this is Node ' + process.versions.node + '.');
  process.exit(1);
}
