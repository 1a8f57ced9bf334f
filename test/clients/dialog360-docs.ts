import {
  type Client,
  type SendAnswer,
  type TemplatePage,
  TEMPLATES_A_PAGE,
  wamidOf,
} from "./driver.ts";
import { wire } from "./wire.ts";
import * as written from "./written-messages.ts";

/** A client as 360dialog's documentation tells to write one: no number in the path, the key in a header. */
export const dialog360Docs: Client = {
  name: "360dialog's documentation",
  notOffered: { downloadWithoutCredential: "the key comes with every call" },
  async open({ url: base, token }) {
    const http = wire({ "D360-API-KEY": token });
    const send = async (to: string, content: object) => {
      const body = { messaging_product: "whatsapp", recipient_type: "individual", to, ...content };
      return wamidOf(await http.post<SendAnswer>(`${base}/messages`, body));
    };
    const lookUp = async (id: string) => (await http.get<{ url: string }>(`${base}/${id}`)).url;
    return {
      text: (to, body) => send(to, { type: "text", text: { body } }),
      imageById: (to, id) => send(to, { type: "image", image: { id } }),
      imageByLink: (to, link) => send(to, { type: "image", image: { link } }),
      buttons: (to) => send(to, written.buttons),
      list: (to) => send(to, written.list),
      template: (to, name) => send(to, written.template(name)),
      reaction: (to, wamid, emoji) => send(to, written.reaction(wamid, emoji)),
      async readAndTyping(message_id) {
        const read = { messaging_product: "whatsapp", status: "read", message_id };
        const body = { ...read, typing_indicator: { type: "text" } };
        return (await http.post<{ success: boolean }>(`${base}/messages`, body)).success;
      },
      async upload(file) {
        const form = new FormData();
        form.append("messaging_product", "whatsapp");
        form.append("file", new Blob([file], { type: "image/png" }), "a.png");
        return (await http.post<{ id: string }>(`${base}/media`, form)).id;
      },
      lookUp,
      // "Replace https://lookaside.fbsbx.com by https://waba-v2.360dialog.io."
      download: async (id) => {
        const { pathname, search } = new URL(await lookUp(id));
        return http.getBytes(base + pathname + search);
      },
      delete: async (id) => (await http.delete<{ success: boolean }>(`${base}/${id}`)).success,
      async listTemplates() {
        const names: string[] = [];
        let after: string | undefined;
        for (;;) {
          const cursor = after === undefined ? "" : `&after=${after}`;
          const page = await http.get<TemplatePage>(
            `${base}/message_templates?limit=${TEMPLATES_A_PAGE}${cursor}`,
          );
          names.push(...page.data.map(({ name }) => name));
          if (page.paging?.next === undefined) {
            return names;
          }
          after = page.paging.cursors?.after;
        }
      },
    };
  },
};
