import { WINDOW_MS } from "./sliding-window.ts";
import { scriptOf } from "./shared.ts";

/**
 * Gives slots of budgets to processes. A key is one budget: what each process may have used within a
 * window, and what upstream has taught about it.
 *
 * Why no sliding window ever holds more than the limit. Let a window be any span of WINDOW_MS, the
 * one that processes count in. A process admits a call only below its slots, counted over the window
 * that ends with the call, and only before its lease ends by its own clock; so its calls of any
 * window are no more than the slots that were in force at its last call in that window. For each
 * process we keep `slots` until `expires` + a window, and `used` (its calls of the window in which it
 * asked) until now + a window. After an answer, a window's last call was either made after the
 * question went out, and `slots` bounds it: they are no less than what the process held on to, and no
 * less than grants that are still under way to it (`keep`); and its lease began when it asked, and is
 * no longer than it asked for last, so it ends no later than ours. Or all calls of the window were made before the question, and `used`
 * counts them. So the larger of the two bounds every window from now until slots are added; and
 * slots are added only while all those bounds together stay within the limit. We never take slots
 * away: the process is told the level, goes down to it by itself, and says so when it asks next.
 * A question that was overtaken by a later one (`seq`) changes nothing.
 *
 * Water is filled up to a level: wishes below it are met, those above it get the level.
 */
export const leaseScript = scriptOf(`
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local me = ARGV[1]
local answers = {}

local function bound(p)
  return math.max(now < p.expires + ${WINDOW_MS} and p.slots or 0, now < p.usedUntil and p.used or 0)
end

local function levelOf(limit, wishes)
  table.sort(wishes)
  local left = limit
  for i, wish in ipairs(wishes) do
    local level = left / (#wishes - i + 1)
    if wish > level then
      return math.max(0, math.ceil(level))
    end
    left = left - wish
  end
  return limit
end

for i, key in ipairs(KEYS) do
  local ask = {}
  for number in string.gmatch(ARGV[i + 1], '%S+') do
    ask[#ask + 1] = tonumber(number)
  end
  local seq, limit, wish, hold, keep, used, lease, slow, blocked = unpack(ask)

  local packed = redis.call('GET', key)
  local budget = packed and cmsgpack.unpack(packed) or { of = {}, slow = 0, blocked = 0 }
  local others, wishes = 0, { wish }
  for id, p in pairs(budget.of) do
    if id ~= me then
      local may = bound(p)
      others = others + may
      if now < p.expires then
        wishes[#wishes + 1] = p.wish
      elseif may == 0 then
        budget.of[id] = nil
      end
    end
  end

  local mine = budget.of[me]
  if mine and mine.seq > seq then
    answers[#answers + 1] = { -1, 0, 0, 0 }
  else
    if keep == 1 and mine and now < mine.expires then
      hold = math.max(hold, mine.slots)
    end
    local level = levelOf(limit, wishes)
    local slots = math.max(hold, math.min(wish, level, limit - others))
    budget.of[me] = {
      slots = slots, expires = now + lease, used = used, usedUntil = now + ${WINDOW_MS}, wish = wish, seq = seq
    }
    budget.slow = math.max(budget.slow, now + slow)
    budget.blocked = math.max(budget.blocked, now + blocked)
    local stale = math.max(budget.slow, budget.blocked, now + lease + ${WINDOW_MS}) - now
    redis.call('SET', key, cmsgpack.pack(budget), 'PX', math.ceil(stale) + 5000)
    answers[#answers + 1] = { slots, level, math.ceil(budget.slow - now), math.ceil(budget.blocked - now) }
  end
end
return answers
`);
