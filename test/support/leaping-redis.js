// Loaded into the service before it starts (`node --import`): what it hears from Redis of the time leaps by the milliseconds
// that are stored under a key, as if somebody had set the clock there. libfaketime can't do that to Redis, whose memory
// allocator it does not go with.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Redis } from 'ioredis';

const LEAP = '{herald}:clock-leap';

const TIME = `(function()
  local time = redis.call('TIME')
  return { tostring(tonumber(time[1]) + math.floor(tonumber(redis.call('GET', '${LEAP}') or '0') / 1000)), time[2] }
end)()`;

const { readFileSync } = fs;
fs.readFileSync = (path, ...rest) => {
  const content = readFileSync(path, ...rest);
  return String(path).endsWith('.lua') ? content.replaceAll(`redis.call('TIME')`, TIME) : content;
};
syncBuiltinESMExports();

Redis.prototype.time = async function () {
  const [leap, [seconds, microseconds]] = await Promise.all([this.get(LEAP), this.call('TIME')]);
  return [Number(seconds) + Math.floor(Number(leap ?? 0) / 1_000), microseconds];
};
