// Loaded into a gateway's process before it starts: the machine's clock and name server as a test
// wants them. Nothing of the gateway knows of it.
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";

// SIGUSR2 sets the clock an hour on, the next one an hour back behind the true time, then right.
const STEPS_MS = [0, 3_600_000, -3_600_000];
let step = 0;
const TrueDate = Date;
const trueNow = TrueDate.now.bind(TrueDate);
const now = () => trueNow() + STEPS_MS[step % STEPS_MS.length];
process.on("SIGUSR2", () => step++);
globalThis.Date = new Proxy(TrueDate, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  apply: () => new TrueDate(now()).toString(),
  get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
});

// A name that the operator lists is looked up by the system, whose name servers are not ours to set:
// those that end so are asked of a server of the test's own.
const server = process.env.CHAOS_DNS_SERVER;
if (server !== undefined) {
  const { lookup, Resolver } = dns.promises;
  dns.promises.lookup = async (host, options) => {
    if (!host.endsWith(".chaos.test")) {
      return lookup(host, options);
    }
    const resolver = new Resolver({ timeout: 1000, tries: 2 });
    resolver.setServers([server]);
    const addresses = await resolver.resolve4(host);
    return addresses.map((address) => ({ address, family: 4 }));
  };
  syncBuiltinESMExports();
}
