import { isIP, type LookupFunction } from "node:net";
import { buildConnector } from "undici";
import type { AllowList } from "./allow-list.ts";
import { bareHost, isAddressLiteral } from "./host-name.ts";
import { isPublicAddress } from "./public-address.ts";
import { refuse, type CheckResolution, type Refusal } from "./resolve.ts";

/** A host that may not be dialled, or that leads nowhere. Its text goes to the tenant and names no address. */
export class HostRefused extends Error {
  readonly code: Refusal["code"];

  constructor({ code, detail }: Refusal) {
    super(detail);
    this.name = "HostRefused";
    this.code = code;
  }
}

export type GuardedConnectorOptions = {
  allowList: AllowList;
  checkResolution: CheckResolution;
  /** For look-up, TCP and TLS together, milliseconds. */
  connectTimeoutMs: number;
  /** PEM certificates to trust instead of the built-in authorities. */
  certificateAuthorities?: string | undefined;
  /** Told of each new connection, and whether only the allow list admits its address. */
  onConnect: (host: string, byAllowList: boolean) => void;
};

/**
 * Makes the `connect` function of an undici dispatcher that dials checked addresses only.
 *
 * A look-up alone is no guard: it is never called for an address literal, so literals are judged first; and the address
 * that was reached is judged once more, whatever the look-up said.
 */
export function createGuardedConnector(options: GuardedConnectorOptions): buildConnector.connector {
  const { allowList, checkResolution, onConnect } = options;
  const dial = buildConnector({
    lookup: checkedLookup(checkResolution),
    autoSelectFamily: true,
    // After this time Node gives an address up for the next and does not come back to it. Its default of a quarter of
    // a second loses far endpoints whose other address is dead.
    autoSelectFamilyAttemptTimeout: 1_000,
    timeout: options.connectTimeoutMs,
    allowH2: false,
    ...(options.certificateAuthorities === undefined ? {} : { ca: options.certificateAuthorities }),
  });

  return ({ hostname, protocol, port }, callback) => {
    const host = bareHost(hostname);
    if (isAddressLiteral(host) && !allowList.allowsHost(host)) {
      // undici expects the answer after this call has returned.
      queueMicrotask(() => callback(new HostRefused(refuse("url_host_not_public")), null));
      return;
    }
    // `host` makes the TLS server name: always the URL's, whatever Host header a request carries.
    dial({ hostname: host, host, protocol, port }, (...[err, socket]) => {
      if (err !== null) {
        callback(err, null);
        return;
      }
      const isListed = allowList.allowsHost(host);
      const address = socket.remoteAddress ?? ""; // a socket that is closed by now has none
      const isPublic = isPublicAddress(address);
      if (!isPublic && !isListed && !allowList.allowsAddress(address)) {
        socket.on("error", () => undefined).destroy();
        callback(new HostRefused(refuse("url_resolves_private")), null);
        return;
      }
      onConnect(host, isListed || !isPublic);
      callback(null, socket);
    });
  };
}

/** A look-up for `net.connect` that resolves and judges, so that what is dialled is exactly what was judged. */
function checkedLookup(checkResolution: CheckResolution): LookupFunction {
  return (host, { all }, callback) => {
    async function answer(): Promise<void> {
      const resolution = await checkResolution(host);
      if (resolution.kind === "refused") {
        callback(new HostRefused(resolution), []);
        return;
      }
      const found = resolution.addresses.map((address) => ({ address, family: isIP(address) }));
      if (all === true) {
        callback(null, found);
      } else {
        callback(null, found[0]?.address ?? "", found[0]?.family);
      }
    }
    void answer();
  };
}
