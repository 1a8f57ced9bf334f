import { request } from "undici";
import { type Answer, call } from "./call.ts";

/** What the page of a return says, and its status. */
export type Page = { status: number; code: string | undefined; answer: Answer };

/** Shares there what is wanted, and gives where 360dialog sends the browser then. */
async function consent(page: URL, channelIds: readonly string[] = []): Promise<string> {
  const target = new URL(page);
  target.pathname += "/consent";
  for (const id of channelIds) {
    target.searchParams.append("channel", id);
  }
  const answer = await request(target);
  await answer.body.dump();
  return String(answer.headers["location"]);
}

/** A customer's browser, as far as an onboarding link needs one. */
export function customerOf(gatewayUrl: string) {
  /** Opens a link and gives 360dialog's page that it leads to. */
  async function open(link: string): Promise<URL> {
    const { pathname } = new URL(link);
    const answer = await call(gatewayUrl, "GET", pathname);
    if (answer.status !== 302) {
      throw new Error(`the link does not open: ${answer.body.toString()}`);
    }
    return new URL(String(answer.headers["location"]));
  }

  async function comeBack(location: string): Promise<Page> {
    const path = location.slice(location.indexOf("/onboarding/"));
    const answer = await call(gatewayUrl, "GET", path);
    const code = /data-code="(\w+)"/.exec(answer.body.toString())?.[1];
    return { status: answer.status, code, answer };
  }

  return { open, consent, comeBack };
}

/** Where 360dialog would send a browser, whoever writes it. */
export function returnTo(query: {
  state: string;
  client: string;
  channels?: readonly string[];
  revoked?: readonly string[];
}): string {
  const { state, client, channels = [], revoked } = query;
  const taken = revoked === undefined ? "" : `&revoked=[${revoked.join(",")}]`;
  return `/onboarding/return?client=${client}&channels=[${channels.join(",")}]${taken}&state=${encodeURIComponent(state)}`;
}
