import { type Client, ClientFailure, wamidOf } from "./driver.ts";
import { loadPackage } from "./packages.ts";

const FIXED = "its URL is graph.facebook.com and cannot be changed";

/** The package rejects with a plain object that has the members of Meta's `error`. */
async function read<Answer>(call: Promise<Answer>): Promise<Answer> {
  try {
    return await call;
  } catch (error) {
    const { status, code } = error as { status?: unknown; code?: unknown };
    if (status !== "failed" || typeof code !== "number") {
      throw error;
    }
    throw new ClientFailure({ kind: '{ status: "failed" }', code }, error);
  }
}

/** As its own examples do: the recipient is a number. */
const to = (user: string) => ({ recipientPhone: Number(user) });

export const whatsappCloudApiWrapper: Client = {
  name: "whatsappcloudapi_wrapper 1.0.16",
  notOffered: {
    reaction: "no such method",
    upload: FIXED,
    lookUp: FIXED,
    download: "UNTESTED_downloadMediaViaUrl gives headers and no bytes",
    downloadWithoutCredential: "no such method",
    delete: "no such method",
    listTemplates: "no such method",
  },
  partly: { readAndTyping: "no typing indicator" },
  async open({ url, token, phoneNumberId, wabaId }) {
    const { default: WhatsappCloud } = await loadPackage("whatsappcloudapi_wrapper");
    const client = new WhatsappCloud({
      accessToken: token,
      senderPhoneNumberId: phoneNumberId,
      WABA_ID: wabaId,
    });
    client.baseUrl = `${url}/v23.0/${phoneNumberId}`;
    return {
      text: async (user, message) =>
        wamidOf((await read(client.sendText({ ...to(user), message }))).data),
      imageById: async (user, media_id) =>
        wamidOf((await client.sendImage({ ...to(user), media_id })).response.data),
      imageByLink: async (user, url_) =>
        wamidOf((await client.sendImage({ ...to(user), url: url_ })).response.data),
      buttons: async (user) => {
        const listOfButtons = [{ id: "yes", title: "Yes" }];
        const sent = client.sendSimpleButtons({ ...to(user), message: "Sure?", listOfButtons });
        return wamidOf((await sent).data);
      },
      list: async (user) => {
        const rows = [{ id: 1, title: "One", description: "The first" }];
        const sent = client.sendRadioButtons({
          ...to(user),
          headerText: "A question",
          bodyText: "Which?",
          footerText: "Only one",
          listOfSections: [{ title: "All", rows }],
        });
        return wamidOf((await sent).data);
      },
      template: async (user, templateName) => {
        const components = [{ type: "body", parameters: [{ type: "text", text: "Ada" }] }];
        const template = { templateName, languageCode: "en_US", components };
        return wamidOf((await client.sendTemplate({ ...to(user), ...template })).data);
      },
      readAndTyping: async (message_id) =>
        (await client.markMessageAsRead({ message_id })).data.success,
    };
  },
};
