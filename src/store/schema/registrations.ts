// What 360dialog counts of a number's registrations.

import type { GeneratedAlways } from "kysely";

export type RegistrationKind =
  "waba_creation" | "display_name" | "migration" | "test_number" | "local_storage";

export interface RegistrationLimitTable {
  phone_number_id: string;
  blocked_until: Date | null;
}

export interface RegistrationTable {
  phone_number_id: string;
  seq: GeneratedAlways<string>;
  id: string;
  kind: RegistrationKind;
  note: string | null;
  registered_at: Date;
}
