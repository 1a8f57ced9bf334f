/**
 * Whose events without an owner are: kept, and told to the partner. Its webhook endpoints, and what is
 * delivered to them, are under it too.
 */
export const NO_TENANT = "";
