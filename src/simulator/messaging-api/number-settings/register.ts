import { MetaRefusal, parameterNotOneOf, parameterRequired } from "../answers/meta-errors.ts";
import { proxied } from "../answers/proxied-answer.ts";
import type { OperationRow } from "../operation.ts";
import { parameters } from "../parameters.ts";

const REGIONS = ["AU", "ID", "IN", "JP", "SG", "KR", "DE", "CH", "GB", "BR", "BH", "ZA", "CA"];

/** `POST /register`: Meta's form of a registration, which also says where the number's data is stored. */
export function registerOperations(
  setRegion: (phoneNumberId: string, region: string) => void,
): OperationRow[] {
  return [
    [
      "POST",
      "/register",
      proxied((call) => {
        const { phoneNumber } = call;
        const { pin, data_localization_region: region } = parameters(call);
        if (phoneNumber.registrationBlocked === true) {
          throw new MetaRefusal({
            status: 400,
            code: 133016,
            message: "Account register/deregister rate limit hit",
            details: "There were too many register/deregister requests for this phone number.",
          });
        }
        if (typeof pin !== "string") {
          throw new MetaRefusal(parameterRequired("pin"));
        }
        if (phoneNumber.pin !== undefined && pin !== phoneNumber.pin) {
          throw new MetaRefusal({
            status: 400,
            code: 133005,
            message: "Two-step verification PIN mismatch",
          });
        }
        if (typeof region === "string") {
          if (!REGIONS.includes(region)) {
            throw new MetaRefusal(parameterNotOneOf("data_localization_region", REGIONS, region));
          }
          setRegion(phoneNumber.phoneNumberId, region);
        }
        return { success: true };
      }),
    ],
  ];
}
