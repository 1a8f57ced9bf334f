import { type Judgement, pass, refuse, unknown } from "./judgement.ts";

/** States in which Meta sends nothing (132001, 132015, 132016). What is pending may be approved by now. */
const UNAVAILABLE: ReadonlySet<string | null> = new Set([
  "paused",
  "disabled",
  "rejected",
  "deleted",
]);

/** A template that the cache says cannot be sent, or does not have although it was filled. */
export const TEMPLATE_UNAVAILABLE: Judgement = {
  code: "template_unavailable",
  guard: "template",
  needsFacts: ({ template }) => template !== undefined,
  judge({ kind, template }, { facts }) {
    if (kind !== "template") {
      return pass("No template is sent.");
    }
    if (template === undefined) {
      return unknown("The template is not named by name and language code.");
    }
    const title = `template ${template.name} (${template.language})`;
    if (facts.template === null) {
      return facts.templatesSyncedAt === null
        ? unknown("The WABA's templates have not been fetched yet.")
        : refuse(`The WABA has no ${title}.`);
    }
    const { status } = facts.template;
    if (UNAVAILABLE.has(status)) {
      return refuse(`The ${title} is ${status}.`);
    }
    return status === "approved"
      ? pass(`The ${title} is approved.`)
      : unknown(`The ${title} is ${status ?? "in a state that is not known"}.`);
  },
};
