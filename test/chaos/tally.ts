export type Row = {
  name: string;
  acknowledged: number;
  delivered: number;
  lost: number;
  repeated: number;
};

/** Counts what was answered 200, and how often each endpoint got it. */
export type Tally = {
  acknowledge: (phase: string, messageId: string) => void;
  receive: (endpoint: string, messageId: string, webhookId: string) => void;
  acknowledged: () => number;
  /** How much of what was acknowledged some endpoint has not got yet. */
  missing: () => number;
  rows: () => Row[];
};

export function createTally(endpoints: readonly string[]): Tally {
  const phaseOf = new Map<string, string>();
  const phases: string[] = [];
  /** By endpoint and message: how often it came, and under which id. */
  const received = new Map<string, { times: number; webhookId: string }>();

  function count(messageIds: readonly string[]): Omit<Row, "name"> {
    const owed = messageIds.flatMap((id) =>
      endpoints.map((endpoint) => received.get(keyOf(endpoint, id))?.times ?? 0),
    );
    return {
      acknowledged: messageIds.length,
      delivered: owed.filter((times) => times > 0).length,
      lost: owed.filter((times) => times === 0).length,
      repeated: owed.reduce((sum, times) => sum + Math.max(0, times - 1), 0),
    };
  }

  return {
    acknowledge(phase, messageId) {
      phaseOf.set(messageId, phase);
      if (!phases.includes(phase)) {
        phases.push(phase);
      }
    },
    receive(endpoint, messageId, webhookId) {
      const key = keyOf(endpoint, messageId);
      const before = received.get(key);
      if (before !== undefined && before.webhookId !== webhookId) {
        throw new Error(`${messageId} came as ${webhookId} after ${before.webhookId}`);
      }
      received.set(key, { times: (before?.times ?? 0) + 1, webhookId });
    },
    acknowledged: () => phaseOf.size,
    missing: () => count([...phaseOf.keys()]).lost,
    rows: () =>
      phases.map((phase) => {
        const ids = [...phaseOf].filter(([, of]) => of === phase).map(([id]) => id);
        return { name: phase, ...count(ids) };
      }),
  };
}

function keyOf(endpoint: string, messageId: string): string {
  return `${endpoint} ${messageId}`;
}

/** The one table: what was acknowledged, and what became of it at `endpoints` endpoints. */
export function renderTable(rows: readonly Row[], endpoints: number): string {
  const width = Math.max(...rows.map(({ name }) => name.length), 10) + 2;
  const head = ["acknowledged", `delivered (× ${endpoints})`, "lost", "repeated"];
  const sum = (pick: (row: Row) => number): number => rows.reduce((all, row) => all + pick(row), 0);
  const total: Row = {
    name: "all",
    acknowledged: sum((row) => row.acknowledged),
    delivered: sum((row) => row.delivered),
    lost: sum((row) => row.lost),
    repeated: sum((row) => row.repeated),
  };
  return [
    `${"".padEnd(width)}${head.map((title) => title.padStart(16)).join("")}`,
    ...[...rows, total].map(
      ({ name, acknowledged, delivered, lost, repeated }) =>
        name.padEnd(width) +
        [acknowledged, delivered, lost, repeated].map((n) => String(n).padStart(16)).join(""),
    ),
  ].join("\n");
}
