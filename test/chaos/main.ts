import { parseArgs } from "node:util";
import { renderTable } from "./tally.ts";
import { KILLS, SERVERS, SURROUNDINGS } from "./troubles.ts";
import { ENDPOINTS, openWorld } from "./world.ts";

/** Every trouble, again and again, and what became of each notification that was answered 200. */
const { values } = parseArgs({ options: { rounds: { type: "string", default: "10" } } });
const world = await openWorld();
try {
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const { name, needsRedis = false, cause } of [...KILLS, ...SERVERS, ...SURROUNDINGS]) {
      if (needsRedis && world.redis === undefined) {
        continue;
      }
      await world.during(name, () => cause(world));
      process.stderr.write(`round ${round}: ${name}\n`);
    }
  }
  const rows = await world.settle();
  process.stdout.write(`${renderTable(rows, ENDPOINTS.length)}\n`);
  if (world.redis === undefined) {
    process.stdout.write("without Redis: there is no redis-server\n");
  }
  const lost = rows.reduce((sum, row) => sum + row.lost, 0);
  process.stdout.write(
    lost === 0 ? "nothing is lost\n" : `LOST: ${lost}\n${await world.waiting()}\n`,
  );
  process.exitCode = lost === 0 ? 0 : 1;
} finally {
  await world.close();
}
