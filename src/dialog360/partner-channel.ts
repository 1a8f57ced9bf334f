import { asObjects, parseLoosely } from "./messaging.ts";

/** A channel of one of the partner's clients, as lists and partner events show it; what it lacks is null. */
export type HubChannel = {
  id: string;
  hubClientId: string;
  clientName: string | null;
  /** 360dialog's word, such as `created` or `ready`. */
  status: string | null;
  /** Whether its number can be used, and so whether keys can be made for it. */
  running: boolean;
  /** Whether it is paid for: what 360dialog calls live. */
  live: boolean;
  terminated: boolean;
  /** Whether Meta has turned its WABA down. */
  rejected: boolean;
  /** Digits. */
  displayPhoneNumber: string | null;
  /** Meta's id of the WABA. */
  wabaId: string | null;
  /** In Meta's words. */
  quality: "GREEN" | "YELLOW" | "RED" | "UNKNOWN" | null;
  messagingLimit: string | null;
};

type Fields = Record<string, unknown>;

/** `undefined` for what is no channel: it lacks its own id or its client's. */
export function parseHubChannel(value: unknown): HubChannel | undefined {
  const channel = fieldsOf(value);
  const client = fieldsOf(channel["client"]);
  const id = textOf(channel["id"]);
  const hubClientId = textOf(channel["client_id"]) ?? textOf(client["id"]);
  if (id === null || hubClientId === null) {
    return undefined;
  }
  return {
    id,
    hubClientId,
    clientName: textOf(client["name"]),
    status: textOf(channel["status"]),
    running: fieldsOf(channel["integration"])["state"] === "running",
    live: textOf(channel["billing_started_at"]) !== null,
    terminated: textOf(channel["terminated_at"]) !== null,
    rejected: fieldsOf(channel["waba_account"])["fb_account_status"] === "rejected",
    displayPhoneNumber: digitsOf(fieldsOf(channel["setup_info"])["phone_number"]),
    wabaId: textOf(fieldsOf(channel["waba_account"])["external_id"]),
    quality: qualityOf(channel["current_quality_rating"]),
    messagingLimit: textOf(channel["current_limit"]),
  };
}

/** A page of `GET …/channels`. */
export function parseChannels(body: Buffer): { rows: HubChannel[]; total: number } {
  const list = parseLoosely(body) as Fields | undefined;
  const rows = asObjects(list?.["partner_channels"]).flatMap((one) => parseHubChannel(one) ?? []);
  const total = list?.["total"];
  return { rows, total: typeof total === "number" ? total : rows.length };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** 360dialog says high, medium and low where Meta says green, yellow and red. */
const QUALITIES = { high: "GREEN", medium: "YELLOW", low: "RED" } as const;

function qualityOf(value: unknown): HubChannel["quality"] {
  const word = textOf(value)?.toLowerCase();
  if (word === undefined) {
    return null;
  }
  const known = Object.entries(QUALITIES).find(([hubWord, metaWord]) =>
    [hubWord, metaWord.toLowerCase()].includes(word),
  );
  return known?.[1] ?? "UNKNOWN";
}

function digitsOf(value: unknown): string | null {
  return textOf(textOf(value)?.replaceAll(/\D/g, ""));
}
