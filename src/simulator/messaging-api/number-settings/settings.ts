import type { JsonObject } from "../../json.ts";
import type { PhoneNumber } from "../../numbers/phone-number.ts";

/** One thing about a number that is read with GET and changed, member by member, with POST. */
export type NumberSetting = {
  path: string;
  /** Two paths may lead to the same thing. */
  name: string;
  initially: JsonObject;
  /** The answer of GET. */
  present: (members: JsonObject, phoneNumber: PhoneNumber) => JsonObject;
};

const inList = (members: JsonObject) => ({ data: [members] });
const asItIs = (members: JsonObject) => members;

const CALLING = {
  calling: {
    status: "DISABLED",
    call_icon_visibility: "DEFAULT",
    callback_permission_status: "DISABLED",
  },
};

/** The table of a number's settings. */
export const NUMBER_SETTINGS: readonly NumberSetting[] = [
  {
    path: "/whatsapp_business_profile",
    name: "profile",
    initially: { messaging_product: "whatsapp", about: "Hey there!", vertical: "RETAIL" },
    present: inList,
  },
  {
    path: "/whatsapp_commerce_settings",
    name: "commerce",
    initially: { is_cart_enabled: true, is_catalog_visible: false },
    present: (members, { phoneNumberId }) => inList({ ...members, id: phoneNumberId }),
  },
  {
    path: "/whatsapp_business_encryption",
    name: "encryption",
    initially: { business_public_key_signature_status: "VALID" },
    present: inList,
  },
  {
    path: "/business_compliance_info",
    name: "compliance",
    initially: { messaging_product: "whatsapp" },
    present: inList,
  },
  {
    path: "/conversational_automation",
    name: "automation",
    initially: { enable_welcome_message: false, prompts: [], commands: [] },
    present: (members, { phoneNumberId: id }) => ({
      conversational_automation: { ...members, id },
      id,
    }),
  },
  { path: "/settings", name: "settings", initially: CALLING, present: asItIs },
  { path: "/calling/settings", name: "settings", initially: CALLING, present: asItIs },
];
