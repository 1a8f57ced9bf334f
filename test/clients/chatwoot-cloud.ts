import { type Client, type SendAnswer, type TemplatePage, wamidOf } from "./driver.ts";
import { wire } from "./wire.ts";
import * as written from "./written-messages.ts";

const NEVER = "not one of its calls";

/** The habits of Chatwoot's provider "whatsapp_cloud": a version to each call, the token in a query. */
export const chatwootCloud: Client = {
  name: "Chatwoot, whatsapp_cloud",
  notOffered: {
    imageById: "sends files by link",
    reaction: NEVER,
    readAndTyping: NEVER,
    upload: NEVER,
    downloadWithoutCredential: "its token comes with every call",
    delete: NEVER,
  },
  async open({ url: base, token, phoneNumberId, wabaId }) {
    const http = wire({ authorization: `Bearer ${token}` });
    const send = async (to: string, content: object) => {
      const body = { messaging_product: "whatsapp", to, ...content };
      const path = `/v13.0/${phoneNumberId}/messages`;
      return wamidOf(await http.post<SendAnswer>(base + path, body));
    };
    const lookUp = async (id: string) => {
      const path = `/v13.0/${id}?phone_number_id=${phoneNumberId}`;
      return (await http.get<{ url: string }>(base + path)).url;
    };
    return {
      text: (to, body) => send(to, { type: "text", text: { body } }),
      imageByLink: (to, link) => send(to, { type: "image", image: { link } }),
      buttons: (to) => send(to, written.buttons),
      list: (to) => send(to, written.list),
      template: (to, name) => send(to, written.template(name)),
      lookUp,
      download: async (id) => http.getBytes(await lookUp(id)),
      async listTemplates() {
        const names: string[] = [];
        const bare = wire({});
        let next: string | undefined =
          `${base}/v14.0/${wabaId}/message_templates?access_token=${token}&limit=2`;
        while (next !== undefined) {
          const page: TemplatePage = await bare.get<TemplatePage>(next);
          names.push(...page.data.map(({ name }) => name));
          next = page.paging?.next;
        }
        return names;
      },
    };
  },
};
