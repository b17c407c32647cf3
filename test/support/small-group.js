// Loaded into the service before it starts (`node --import`): the system says that the process is in a control group which
// may take as many bytes of memory as the test says.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const FILES = { '/proc/self/cgroup': '0::/small\n', '/sys/fs/cgroup/small/memory.max': `${process.env.GROUP_BYTES}\n` };
const read = fs.readFileSync;

fs.readFileSync = (path, ...others) => FILES[path] ?? read(path, ...others);
syncBuiltinESMExports();
