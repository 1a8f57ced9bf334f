/** What the table of clients asks of each. */
export const OPERATIONS = [
  "text",
  "imageById",
  "imageByLink",
  "buttons",
  "list",
  "template",
  "reaction",
  "readAndTyping",
  "upload",
  "lookUp",
  "download",
  "downloadWithoutCredential",
  "delete",
  "listTemplates",
] as const;

export type Operation = (typeof OPERATIONS)[number];

/**
 * One client, each member one call of its public API. What goes in is what its user would give it,
 * what comes out is read from what it returns.
 */
export type Driver = {
  /** These give the wamid of what was sent. */
  text(to: string, body: string): Promise<string>;
  imageById(to: string, mediaId: string): Promise<string>;
  imageByLink(to: string, link: string): Promise<string>;
  buttons(to: string): Promise<string>;
  list(to: string): Promise<string>;
  template(to: string, name: string): Promise<string>;
  reaction(to: string, wamid: string, emoji: string): Promise<string>;
  /** Whether it says that it worked. */
  readAndTyping(wamid: string): Promise<boolean>;
  /** The media id. */
  upload(file: Buffer): Promise<string>;
  /** The URL to fetch the file from. */
  lookUp(mediaId: string): Promise<string>;
  /** Looks the file up if need be, and fetches it. */
  download(mediaId: string): Promise<Buffer>;
  downloadWithoutCredential(mediaId: string): Promise<Buffer>;
  /** Whether it says that it worked. */
  delete(mediaId: string): Promise<boolean>;
  /** The names on all pages, two on a page. */
  listTemplates(): Promise<string[]>;
};

/** A tenant's number as a client is told of it. */
export type Account = {
  /** Where the gateway is, instead of graph.facebook.com or waba-v2.360dialog.io. */
  url: string;
  token: string;
  phoneNumberId: string;
  wabaId: string;
};

export type Client = {
  name: string;
  /** It speaks TLS and nothing else. */
  needsTls?: true;
  readsRetryAfter?: true;
  /** Why an operation is missing. */
  notOffered: Partial<Record<Operation, string>>;
  /** What is less than the operation's name says. */
  partly?: Partial<Record<Operation, string>>;
  open(account: Account): Promise<Partial<Driver> & Pick<Driver, "text">>;
  /** Ends what `open` started. */
  close?(): void;
};

/** What a client made of an answer that is no success: its own error, read. */
export class ClientFailure extends Error {
  /** The client's own name for it. */
  readonly kind: string;
  /** Meta's code. */
  readonly code: number;
  /** Absent where the client does not tell. */
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    failure: { kind: string; code: number; status?: number; retryAfterMs?: number | undefined },
    cause: unknown,
  ) {
    super(`${failure.kind}: ${failure.code}`, { cause });
    this.kind = failure.kind;
    this.code = failure.code;
    this.status = failure.status;
    this.retryAfterMs = failure.retryAfterMs;
  }
}

/** Meta's answers, as far as a driver reads them. */
export type SendAnswer = { messages: { id: string }[] };
export type ErrorAnswer = { error: { code: number } };
export type TemplatePage = {
  data: { name: string }[];
  paging?: { cursors?: { after?: string }; next?: string };
};

export const TEMPLATES_A_PAGE = 2;

export const wamidOf = (answer: SendAnswer): string => answer.messages[0]?.id ?? "";
