import { type Judgement, pass, refuse, stateOfWindow, unknown } from "./judgement.ts";

/** Outside the customer service window only templates may be sent (Meta's 131047). */
export const WINDOW_CLOSED: Judgement = {
  code: "window_closed",
  guard: "customer_service_window",
  needsFacts: ({ kind }) => kind === "free_form",
  judge({ kind }, known) {
    if (kind !== "free_form") {
      return pass("Only free-form messages need an open window.");
    }
    const { lastInboundAt } = known.facts;
    const verdicts = {
      open: pass("The user wrote or called within 24 hours."),
      closed: refuse("The user has not written or called for 24 hours; send a template."),
      unknown: unknown("Not all that has come to the number in 24 hours is known."),
    };
    const verdict = verdicts[stateOfWindow(known)];
    return lastInboundAt === null ? verdict : { ...verdict, lastInboundAt };
  },
};
