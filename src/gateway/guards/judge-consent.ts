import { hasStoppedMarketing } from "../../records/marketing-preferences.ts";
import {
  ifMarketing,
  type Judgement,
  mayBeMarketing,
  pass,
  refuse,
  stateOfWindow,
  unknown,
} from "./judgement.ts";

/** Who has not agreed gets no template, and free-form messages only in answer. */
export const OPT_IN_MISSING: Judgement = {
  code: "opt_in_missing",
  guard: "opt_in",
  needsFacts: ({ kind }) => kind !== "opaque",
  judge({ kind }, known) {
    if (kind === "opaque") {
      return pass("What an encrypted message says cannot be judged.");
    }
    if (known.facts.optedInAt !== null) {
      return pass("An opt-in is recorded.");
    }
    if (kind === "template") {
      return refuse("No opt-in of this user is recorded, and a template needs one.");
    }
    const verdicts = {
      open: pass("No opt-in is recorded, but the user wrote or called within 24 hours."),
      closed: refuse("No opt-in of this user is recorded, and the window is shut."),
      unknown: unknown("No opt-in is recorded, and whether the window is shut is not known."),
    };
    return verdicts[stateOfWindow(known)];
  },
};

/** A stop that the user said in WhatsApp concerns marketing only. */
export const OPTED_OUT: Judgement = {
  code: "opted_out",
  guard: "opt_in",
  needsFacts: mayBeMarketing,
  judge(subject, known) {
    return hasStoppedMarketing(known.facts)
      ? ifMarketing(subject, known, {
          yes: refuse("The user has stopped marketing messages, and not agreed to them since."),
          no: pass("The user has stopped marketing messages; this is none."),
          unknown: unknown("The user has stopped marketing messages; this may be one."),
        })
      : pass("No stop of marketing messages is in force.");
  },
};
