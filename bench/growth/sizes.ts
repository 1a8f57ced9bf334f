import type { Write } from "../main.ts";
import { withClient } from "../support/stamps.ts";

export type Sample = {
  delivered: number;
  usEach?: number;
  perSecond?: number;
  /** Heap, indexes and dead rows of what is live, and the whole of what is finished. */
  liveBytes: number;
  heapBytes: number;
  indexBytes: number;
  deadRows: number;
  vacuums: number;
  finishedBytes: number;
  attemptBytes: number;
  eventBytes: number;
  identityBytes: number;
};

const MiB = 1024 * 1024;

export async function takeSample(
  databaseUrl: string,
  measured: Pick<Sample, "delivered" | "usEach" | "perSecond">,
): Promise<Sample> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<Record<string, number>>(`
      with whole as (
        select coalesce(p.relname, c.relname) as name, sum(pg_total_relation_size(c.oid)) as bytes
        from pg_class c
        left join pg_inherits i on i.inhrelid = c.oid
        left join pg_class p on p.oid = i.inhparent
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
        group by 1)
      select
        pg_relation_size('delivery')::float8 as heap,
        pg_indexes_size('delivery')::float8 as indexes,
        (select n_dead_tup from pg_stat_user_tables where relname = 'delivery')::float8 as dead,
        (select autovacuum_count from pg_stat_user_tables where relname = 'delivery')::float8
          as vacuums,
        (select bytes from whole where name = 'delivery_finished')::float8 as finished,
        (select bytes from whole where name = 'attempt')::float8 as attempts,
        (select bytes from whole where name = 'event')::float8 as events,
        (select bytes from whole where name = 'event_identity')::float8 as identities`);
    const of = (name: string): number => rows[0]?.[name] ?? Number.NaN;
    return {
      ...measured,
      liveBytes: of("heap") + of("indexes"),
      heapBytes: of("heap"),
      indexBytes: of("indexes"),
      deadRows: of("dead"),
      vacuums: of("vacuums"),
      finishedBytes: of("finished"),
      attemptBytes: of("attempts"),
      eventBytes: of("events"),
      identityBytes: of("identities"),
    };
  });
}

const COLUMNS: [title: string, of: (sample: Sample) => string][] = [
  ["delivered", ({ delivered }) => String(delivered)],
  ["CPU µs each", ({ usEach }) => usEach?.toFixed(0) ?? ""],
  ["a second", ({ perSecond }) => perSecond?.toFixed(0) ?? ""],
  ["live heap", ({ heapBytes }) => mib(heapBytes)],
  ["its indexes", ({ indexBytes }) => mib(indexBytes)],
  ["dead rows", ({ deadRows }) => String(deadRows)],
  ["vacuums", ({ vacuums }) => String(vacuums)],
  ["finished", ({ finishedBytes }) => mib(finishedBytes)],
  ["attempts", ({ attemptBytes }) => mib(attemptBytes)],
  ["events", ({ eventBytes }) => mib(eventBytes)],
  ["identities", ({ identityBytes }) => mib(identityBytes)],
];

function mib(bytes: number): string {
  return `${(bytes / MiB).toFixed(1)} MiB`;
}

/** Sizes with their indexes, over the soak; CPU is the gateway's and PostgreSQL's. */
export function writeSamples(write: Write, samples: readonly Sample[]): void {
  const width = 13;
  write(COLUMNS.map(([title]) => title.padStart(width)).join(""));
  for (const sample of samples) {
    write(COLUMNS.map(([, of]) => of(sample).padStart(width)).join(""));
  }
}
