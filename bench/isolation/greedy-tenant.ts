import type { Disturbance } from "./in-turn.ts";

/** A healthy tenant sends 10 a second (50 over five of them); this one twenty times that. */
export const greedyTenant: Disturbance = {
  name: "while one tenant sends 20 times its share",
  others: ({ ports }) => [
    {
      numbers: 2,
      endpoints: Array.from({ length: 5 }, (_, index) => ({
        url: `http://127.0.0.1:${ports[1 + index]}/ok/`,
      })),
    },
  ],
  othersPerSecond: 200,
};
