import { Client } from "pg";

const READS_FOR_MS = 60_000;

/** One transaction after another that reads for a minute and keeps its view of the database. */
export async function holdReaders(databaseUrl: string): Promise<{ stop: () => Promise<void> }> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const begin = async (): Promise<void> => {
    await client.query("begin isolation level repeatable read");
    await client.query("select count(*) from webhook_endpoint");
  };
  await begin();
  let turning = Promise.resolve();
  const timer = setInterval(() => {
    turning = turning.then(() => client.query("commit")).then(begin);
  }, READS_FOR_MS);
  return {
    async stop() {
      clearInterval(timer);
      await turning;
      await client.end();
    },
  };
}
