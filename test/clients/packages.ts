/*
 * What the drivers use of the packages, written by hand. Their own type files are not read: with
 * `skipLibCheck: false` they would be checked with the tree (one package has none, another brings half
 * a megabyte of them), and what they say of an answer is not what is tested here.
 */

type Json = Record<string, unknown>;

/** `@kapso/whatsapp-cloud-api`; answers come in camel case. */
export type Kapso = {
  WhatsAppClient: new (options: {
    accessToken: string;
    baseUrl: string;
    graphVersion: string;
  }) => KapsoClient;
  GraphApiError: new (...args: never[]) => KapsoError;
};
type KapsoSend = (input: Json) => Promise<{ messages: { id: string }[] }>;
export type KapsoClient = {
  messages: {
    sendText: KapsoSend;
    sendImage: KapsoSend;
    sendInteractiveButtons: KapsoSend;
    sendInteractiveList: KapsoSend;
    sendTemplate: KapsoSend;
    sendReaction: KapsoSend;
    markRead(input: Json): Promise<{ success: boolean }>;
  };
  media: {
    upload(input: Json): Promise<{ id: string }>;
    get(input: Json): Promise<{ url: string }>;
    delete(input: Json): Promise<{ success: boolean }>;
    download(input: Json): Promise<ArrayBuffer>;
  };
  templates: {
    list(input: Json): Promise<{
      data: { name: string }[];
      paging?: { cursors?: { after?: string }; next?: string };
    }>;
  };
};
export type KapsoError = Error & {
  httpStatus: number;
  code: number;
  retry: { action: string; retryAfterMs?: number };
};
/** `@kapso/whatsapp-cloud-api/server` */
export type KapsoServer = {
  verifySignature(input: { appSecret: string; rawBody: Buffer; signatureHeader: string }): boolean;
  normalizeWebhook(payload: unknown): unknown;
};

/** `@great-detail/whatsapp`, both versions; every call gives the response as fetch has it. */
export type GreatDetail = {
  Client: new (options: {
    /** 8.4.0 */
    prefixUrl?: string;
    /** 9.2.0 */
    baseUrl?: string;
    graphVersion: string;
    request: { headers: Record<string, string> };
  }) => GreatDetailClient;
};
type GreatDetailCall = (input: Json) => Promise<Response>;
export type GreatDetailClient = {
  message: { createMessage: GreatDetailCall; createStatus: GreatDetailCall };
  media: {
    upload: GreatDetailCall;
    getURL: GreatDetailCall;
    download: GreatDetailCall;
    delete: GreatDetailCall;
  };
  template: { list(wabaId: string, input: Json): Promise<Response> };
  webhook: {
    eventNotification(request: {
      method: string;
      headers: Record<string, unknown>;
      body: string;
    }): Promise<{ verifySignature(secret: string): Promise<void> }>;
  };
};

/** `@whatsapp-cloudapi/client` */
type CloudApiSend = (input: Json) => Promise<{ messages: { id: string }[] }>;
export type CloudApi = {
  sendTextMessage: CloudApiSend;
  sendImageMessage: CloudApiSend;
  sendButtonsMessage: CloudApiSend;
  sendListMessage: CloudApiSend;
  sendTemplateMessage: CloudApiSend;
  markMessageRead(input: Json): Promise<{ success: boolean }>;
  uploadMedia(input: Json): Promise<{ id: string }>;
};

/** `whatsapp`, Meta's own; what it gives back has to be asked for status and body. */
export type MetaWhatsApp = new () => {
  requester: { port: number };
  messages: Record<string, (...input: never[]) => Promise<MetaAnswer>>;
};
export type MetaAnswer = { statusCode(): number; responseBodyToJSON(): Promise<unknown> };

/** `whatsappcloudapi_wrapper` */
export type Wrapper = new (options: {
  accessToken: string;
  senderPhoneNumberId: string;
  WABA_ID: string;
}) => WrapperClient;
type WrapperAnswer = { data: { messages: { id: string }[] } };
export type WrapperClient = {
  baseUrl: string;
  sendText(input: Json): Promise<WrapperAnswer>;
  sendImage(input: Json): Promise<{ response: WrapperAnswer }>;
  sendSimpleButtons(input: Json): Promise<WrapperAnswer>;
  sendRadioButtons(input: Json): Promise<WrapperAnswer>;
  sendTemplate(input: Json): Promise<WrapperAnswer>;
  markMessageAsRead(input: Json): Promise<{ data: { success: boolean } }>;
};

type Packages = {
  "@kapso/whatsapp-cloud-api": Kapso;
  "@kapso/whatsapp-cloud-api/server": KapsoServer;
  "great-detail-whatsapp-8": GreatDetail;
  "great-detail-whatsapp-9": GreatDetail;
  "@whatsapp-cloudapi/client": CloudApi;
  whatsapp: { default: { default: MetaWhatsApp } | MetaWhatsApp };
  whatsappcloudapi_wrapper: { default: Wrapper };
};

/** The name is no literal where it is imported, so that no compiler looks for its types. */
export async function loadPackage<Name extends keyof Packages>(
  name: Name,
): Promise<Packages[Name]> {
  return (await import(name)) as Packages[Name];
}
