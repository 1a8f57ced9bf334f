/** What 360dialog puts into the query of its redirect; nothing of it is proved. */
export type ReturnQuery = {
  state: string;
  hubClientId: string | undefined;
  /** Which channels the client shares, and of which it has taken the permission back. */
  channelIds: string[];
  revokedIds: string[];
};

const ID = /^[\w-]{1,100}$/;
const IDS_MAX = 100;

/**
 * Reads `client=…&channels=[a,b]&revoked=[c]&state=…`: bare ids in brackets, which is no JSON. Quotes
 * and blanks around an id are taken too. `undefined` for what has another form.
 */
export function parseReturn(query: Readonly<Record<string, unknown>>): ReturnQuery | undefined {
  const state = textOf(query["state"]);
  const client = textOf(query["client"]);
  const channelIds = parseIds(query["channels"]);
  const revokedIds = parseIds(query["revoked"]);
  const clientFits = client === "" || ID.test(client);
  return !clientFits || channelIds === undefined || revokedIds === undefined
    ? undefined
    : { state, hubClientId: client === "" ? undefined : client, channelIds, revokedIds };
}

function parseIds(value: unknown): string[] | undefined {
  const text = textOf(value).trim();
  const inner = /^\[(.*)\]$/s.exec(text)?.[1] ?? text;
  const ids = inner
    .split(",")
    .map((part) => part.trim().replace(/^(["'])(.*)\1$/, "$2"))
    .filter((part) => part !== "");
  return ids.length <= IDS_MAX && ids.every((id) => ID.test(id)) ? [...new Set(ids)] : undefined;
}

/** A parameter that comes twice is a list: it says nothing. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
