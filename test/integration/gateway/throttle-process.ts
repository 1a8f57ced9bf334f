import { createThrottle } from "../../../src/gateway/throttle/throttle.ts";
import { Secret } from "../../../src/secret.ts";
import { eventually } from "../../support/eventually.ts";
import { offerLoad } from "../../support/offered-load.ts";
import { systemClock } from "../../support/system-clock.ts";

/** A process that sends on one number; prints when it has begun, and what was let through. */
const [url, prefix, phoneNumberId, perSecond, seconds] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const throttle = createThrottle({ url: new Secret(url), prefix, now: systemClock });
await eventually(() => throttle.state() === "ok");
process.stdout.write("begun\n");
const { admittedMs } = await offerLoad({
  take: () => throttle.takeSend({ phoneNumberId, throughput: 80 }, undefined),
  perSecond: Number(perSecond),
  seconds: Number(seconds),
  now: systemClock,
});
await throttle.stop();
process.stdout.write(`${JSON.stringify(admittedMs)}\n`);
