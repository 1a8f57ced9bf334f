import { scriptOf } from "./shared.ts";

export const PAIR_EVERY_MS = 6000;
export const PAIR_BURST = 45;
/** How far ahead of time a pair may be and still send: the burst but for the send itself. */
export const PAIR_AHEAD_MS = PAIR_EVERY_MS * (PAIR_BURST - 1);

/**
 * GCRA over all processes. A key holds the time at which the pair has its whole burst again. Sends
 * that were already made are charged first (`untold`); then, if one is wanted, it is let through or
 * not. `until` moves the time on to at least so many milliseconds from now.
 */
export const pairScript = scriptOf(`
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local answers = {}
for i, key in ipairs(KEYS) do
  local untold, wanted, atLeast = string.match(ARGV[i], '(%S+) (%S+) (%S+)')
  local full = math.max(now, tonumber(redis.call('GET', key) or 0)) + untold * ${PAIR_EVERY_MS}
  full = math.max(now, now + atLeast, full)
  local goes = 0
  if wanted == '1' and full - now <= ${PAIR_AHEAD_MS} then
    goes = 1
    full = full + ${PAIR_EVERY_MS}
  end
  if full > now then
    redis.call('SET', key, string.format('%.3f', full), 'PX', math.ceil(full - now))
  end
  answers[i] = { goes, math.ceil(full - now) }
end
return answers
`);
