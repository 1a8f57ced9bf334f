import type { JsonObject } from "../../json.ts";

/** Things of a WABA that are listed with GET and made with POST. */
export type Collection = {
  edge: string;
  /** The parameter without which none is made. */
  required: string;
  present: (id: string, members: JsonObject) => JsonObject;
};

/** The table of a WABA's collections. */
export const COLLECTIONS: readonly Collection[] = [
  {
    edge: "flows",
    required: "name",
    present: (id, { name, categories = ["OTHER"] }) => ({
      id,
      name,
      status: "DRAFT",
      categories,
      validation_errors: [],
    }),
  },
  { edge: "schedules", required: "schedule", present: (id, members) => ({ ...members, id }) },
];
