import type { QueueDriver } from "../../ports/queue.ts";
import type { RedisCommand } from "../redis.ts";
import { decodePointer, encodePointer } from "./pointer-text.ts";

/** KEYS: pointer. ARGV: epoch, step, record. Returns false when it is there now, else the record that is. */
const MOVE = `local epoch, step, found = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'step', 'record'))
if found and found ~= ARGV[3] then
  local e, s = tonumber(epoch), tonumber(step)
  local next = tonumber(ARGV[1])
  if next < e or (next == e and tonumber(ARGV[2]) <= s) then return found end
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'step', ARGV[2], 'record', ARGV[3])
return false`;

/** The pointer's record in a hash of Redis; compare-and-set is one script. */
export function redisPointer(
  driver: string,
  command: RedisCommand,
  keyOf: (pointer: string) => string,
): Pick<QueueDriver, "readPointer" | "movePointer"> {
  return {
    async readPointer(pointer, signal) {
      const text = await command(signal, "HGET", keyOf(pointer), "record");
      return text === null ? null : decodePointer(driver, String(text));
    },
    async movePointer(pointer, next, signal) {
      const args = [String(next.epoch), String(next.step), encodePointer(next)];
      const found = await command(signal, "EVAL", MOVE, 1, keyOf(pointer), ...args);
      return found === null ? { kind: "moved" } : { kind: "refused", found: decodePointer(driver, String(found)) };
    },
  };
}
