import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";

/** What the gateway gives for a button. */
export type ButtonFacts = { partner_id: string; state: string; redirect_url: string };

/**
 * The app of a tenant, with 360dialog's button on its page `/connect`. It asks for a link when the page is
 * shown. `keepsCallback`: the button's popup comes back to this page, which sends the browser on to the
 * gateway itself; else the popup goes to the gateway.
 */
export async function startSaasApp(options: {
  askForButton: () => Promise<ButtonFacts>;
  keepsCallback: boolean;
}): Promise<{ url: string; close: () => void }> {
  const { askForButton, keepsCallback } = options;
  const script = await readFile(
    createRequire(import.meta.url).resolve(
      "360dialog-connect-button/dist/dialog-connect-button.umd.js",
    ),
  );
  let handOver = "";

  async function pageOf(own: string, search: string): Promise<string> {
    // The page is loaded again with the answer in its query: that is no new customer.
    const isBack = search.includes("client=");
    const facts = isBack ? undefined : await askForButton();
    handOver = facts?.redirect_url ?? handOver;
    const attributes =
      facts === undefined
        ? `partner-id="none"`
        : `partner-id="${facts.partner_id}" state="${facts.state}" redirect-url="${keepsCallback ? own : facts.redirect_url}"`;
    return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Bakery software</title>
<script src="/button.js"></script>
<h1>Connect your WhatsApp number</h1>
<script>
  window.addEventListener("dialog-connect-callback", () => {
    if (!window.opener) location.href = ${JSON.stringify(handOver)} + location.search;
  });
</script>
<dialog-connect-button ${attributes} label="Connect WhatsApp"></dialog-connect-button>
</html>`;
  }

  const server = createServer((req, res) => {
    const { pathname, search } = new URL(req.url ?? "/", url);
    if (pathname === "/button.js") {
      res.writeHead(200, { "content-type": "text/javascript" }).end(script);
    } else if (pathname === "/connect") {
      pageOf(`${url}/connect`, search).then(
        (html) => res.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html),
        (error: unknown) => res.writeHead(500).end(String(error)),
      );
    } else {
      res.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
