import { loadBacklog } from "../support/backlog.ts";
import type { Disturbance } from "./in-turn.ts";

const DUE = 500_000;
const WAITING = 1_000_000;

/** One endpoint that refuses every connection, with so much due and so much waiting for it. */
export const deadEndpoint: Disturbance = {
  name: "beside 500,000 due deliveries of one dead endpoint and 1,000,000 waiting ones",
  // Nothing listens on port 9.
  others: () => [{ numbers: 1, endpoints: [{ url: "http://127.0.0.1:9/dead" }] }],
  async prepare({ databaseUrl }, [tenant], { share }) {
    if (tenant !== undefined) {
      await loadBacklog(databaseUrl, { tenant, events: DUE * share, due: true });
      await loadBacklog(databaseUrl, { tenant, events: WAITING * share, due: false });
    }
  },
  othersPerSecond: 5,
};
