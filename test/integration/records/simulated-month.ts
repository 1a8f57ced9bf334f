/** What 360dialog posts to the hook of one number. */
export type SimulatedNotification = { tenantId: string; phoneNumberId: string; body: object };

export type SimulatedMonth = {
  /** What comes on each day, in the order of its coming. */
  days: SimulatedNotification[][];
  /** How many messages belong to each place, written as JSON of it. */
  expected: Map<string, number>;
};

type Place = { tenant_id: string; phone_number_id: string } & Record<string, unknown>;

const DAYS = 30;
const DAY_SECONDS = 86_400;
const NUMBERS_OF_TENANT = [2, 1];
const USERS = [
  ["DE", "49151123456"],
  ["BR", "55119876543"],
  ["IN", "91981234567"],
] as const;
const CATEGORIES = ["marketing", "utility", "authentication", "service"] as const;

/**
 * A month of sends and messages of users, written without a look at how they are counted: statuses in
 * any order, repeated, missing, a day later, of messages that fail or never arrive.
 */
export function simulateMonth(options: {
  tenantIds: readonly string[];
  firstDay: Date;
  messagesADay: number;
  seed: number;
}): SimulatedMonth {
  const { tenantIds, firstDay, messagesADay } = options;
  const random = createRandom(options.seed);
  const below = (count: number): number => Math.floor(random() * count);
  const days: SimulatedNotification[][] = Array.from({ length: DAYS + 2 }, () => []);
  const expected = new Map<string, number>();
  const firstSeconds = firstDay.getTime() / 1000;

  function post(atSeconds: number, notification: SimulatedNotification): void {
    const day = days[Math.floor((atSeconds - firstSeconds) / DAY_SECONDS)] ?? [];
    // Somewhere among what came that day: order is nothing that can be relied on.
    day.splice(below(day.length + 1), 0, notification);
    if (below(5) === 0) {
      day.push(notification);
    }
  }

  function expectOne(atSeconds: number, place: Place) {
    const { tenant_id, phone_number_id, ...rest } = place;
    const day = new Date(atSeconds * 1000).toISOString().slice(0, 10);
    const key = JSON.stringify({ tenant_id, day, phone_number_id, ...rest });
    expected.set(key, (expected.get(key) ?? 0) + 1);
  }

  for (let made = 0; made < DAYS * messagesADay; made++) {
    const owner = below(tenantIds.length);
    const tenantId = tenantIds[owner] ?? "";
    const phoneNumberId = `${owner + 1}0${below(NUMBERS_OF_TENANT[owner] ?? 1)}`;
    const [country, prefix] = USERS[below(USERS.length)] ?? USERS[0];
    const user = `${prefix}${10 + below(90)}`;
    const id = `wamid.${made}`;
    const sentAt = firstSeconds + below(DAYS * DAY_SECONDS);
    const tell = (atSeconds: number, value: object): void =>
      post(atSeconds, { tenantId, phoneNumberId, body: envelope(phoneNumberId, value) });
    const number = { tenant_id: tenantId, phone_number_id: phoneNumberId };

    if (below(3) === 0) {
      tell(sentAt, { messages: [{ id, from: user, timestamp: String(sentAt), type: "text" }] });
      const free = { category: "none", country, direction: "inbound", billable: false };
      expectOne(sentAt, { ...number, ...free });
      continue;
    }
    const category = CATEGORIES[below(CATEGORIES.length)] ?? "service";
    const billable = category !== "service" && below(4) > 0;
    const type = billable ? "regular" : "free_customer_service";
    const pricing = { billable, pricing_model: "PMP", category, type };
    const say = (status: string, atSeconds: number, more: object): void =>
      tell(atSeconds, {
        statuses: [{ id, status, timestamp: String(atSeconds), recipient_id: user, ...more }],
      });

    const deliveredAt = sentAt + below(DAY_SECONDS);
    const readAt = deliveredAt + below(DAY_SECONDS / 2);
    say("sent", sentAt, { pricing });
    const fate = below(10);
    if (fate === 0) {
      say("failed", deliveredAt, { errors: [{ code: 131026, title: "Undeliverable" }] });
      continue;
    }
    if (fate === 1) {
      continue;
    }
    // WhatsApp leaves `delivered` out where a chat is open.
    const isDelivered = fate !== 2;
    if (isDelivered) {
      say("delivered", deliveredAt, { pricing });
    }
    if (!isDelivered || below(2) === 0) {
      say("read", readAt, {});
    }
    const arrivedAt = isDelivered ? deliveredAt : readAt;
    expectOne(arrivedAt, { ...number, category, country, direction: "outbound", billable });
  }
  return { days, expected };
}

function envelope(phoneNumberId: string, value: object): object {
  const metadata = { display_phone_number: "15550783881", phone_number_id: phoneNumberId };
  const change = {
    field: "messages",
    value: { messaging_product: "whatsapp", metadata, ...value },
  };
  return { object: "whatsapp_business_account", entry: [{ id: "1029", changes: [change] }] };
}

/** Park and Miller's generator: the same month for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
