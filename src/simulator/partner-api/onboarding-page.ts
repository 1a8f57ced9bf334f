import type { Answer } from "../http/answer.ts";
import type { RecordedRequest } from "../http/recorded-request.ts";
import { splitUrl } from "../http/split-url.ts";
import type { NewPhoneNumber } from "../numbers/phone-number.ts";
import type { Channel, ChannelChange } from "./channel.ts";
import type { HubClient, NewHubClient } from "./hub-client.ts";
import { type Hub, HubThingNotFound } from "./hub.ts";
import { errorPage, permissionsPage } from "./onboarding-html.ts";
import { redirectLocation } from "./redirect-location.ts";

/** Where the pages of Integrated Onboarding live. */
export const ONBOARDING_PATH = "/dashboard/app/";

type Parts = {
  hub: Hub;
  partnerId: string;
  createClient: (chosen: NewHubClient) => HubClient;
  createChannel: (clientId: string, chosen: NewPhoneNumber & ChannelChange) => Channel;
  changeChannel: (id: string, change: ChannelChange) => void;
};

const redirectTo = (location: string): Answer => ({
  status: 302,
  headers: { location },
  body: Buffer.alloc(0),
});

/**
 * The page on which a client lets the partner make keys, and its form's target `…/consent`. A client
 * that is new gets its first channel there; a box that is not ticked takes the permission back. The
 * connect button leaves `/permissions` out.
 */
export function createOnboardingPage(parts: Parts): (request: RecordedRequest) => Answer {
  const { hub, partnerId } = parts;
  const channelsOf = (clientId: string): Channel[] =>
    hub.listChannels().filter(({ client }) => client.id === clientId);

  function signUp(query: URLSearchParams): HubClient {
    const client = parts.createClient({
      name: query.get("name") ?? "New Client",
      email: query.get("email") ?? "new@example.com",
    });
    const number = query.get("number");
    parts.createChannel(client.id, number === null ? {} : { displayPhoneNumber: number });
    return client;
  }

  function consent(query: URLSearchParams, redirectUrl: string): Answer {
    const clientId = query.get("client_id") ?? "";
    const isNew = clientId === "";
    const client = isNew ? signUp(query) : hub.getClient(clientId);
    const ticked = query.getAll("channel");
    const revoked: string[] = [];
    const shared: string[] = [];
    for (const { id, state } of channelsOf(client.id)) {
      if (isNew || ticked.includes(id)) {
        shared.push(id);
        parts.changeChannel(id, { permission: "shared" });
      } else if (state.permission === "shared") {
        revoked.push(id);
        parts.changeChannel(id, { permission: "missing" });
      }
    }
    const state = query.get("state");
    return redirectTo(
      redirectLocation(redirectUrl, {
        clientId: client.id,
        channels: shared,
        revoked,
        ...(state === null ? {} : { state }),
      }),
    );
  }

  return ({ method, url }) => {
    const { path, query } = splitUrl(url);
    const [, partner, target] =
      /^\/dashboard\/app\/([^/]+)(?:\/permissions)?(\/consent)?$/.exec(path) ?? [];
    if (method !== "GET" || partner !== partnerId) {
      return errorPage(404, "There is no such page.");
    }
    const redirectUrl = query.get("redirect_url") ?? hub.account.redirectUrl;
    if (redirectUrl === null) {
      return errorPage(400, "The partner has no redirect URL.");
    }
    try {
      const clientId = query.get("client_id") ?? "";
      return target === undefined
        ? permissionsPage({
            path,
            query,
            channels: clientId === "" ? [] : channelsOf(hub.getClient(clientId).id),
          })
        : consent(query, redirectUrl);
    } catch (error) {
      if (error instanceof HubThingNotFound) {
        return errorPage(404, error.message);
      }
      throw error;
    }
  };
}
