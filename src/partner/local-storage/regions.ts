/** A country in which Meta stores a number's data, and since when 360dialog offers it. */
export type StorageRegion = { region: string; name: string; from: string; until?: string };

/**
 * 360dialog's list (its page on local storage), by the codes of Meta's `data_localization_region`. A
 * region that begins or ends has its date here; `from` is when the list was read.
 */
export const STORAGE_REGIONS: readonly StorageRegion[] = [
  { region: "IN", name: "India", from: "2025-01-01" },
  { region: "SG", name: "Singapore", from: "2025-01-01" },
  { region: "ID", name: "Indonesia", from: "2025-01-01" },
  { region: "KR", name: "South Korea", from: "2025-01-01" },
  { region: "JP", name: "Japan", from: "2025-01-01" },
  { region: "AU", name: "Australia", from: "2025-01-01" },
  { region: "BR", name: "Brazil", from: "2025-01-01" },
  { region: "ZA", name: "South Africa", from: "2025-01-01" },
  { region: "BH", name: "Bahrain", from: "2025-01-01" },
  { region: "DE", name: "European Union (Germany)", from: "2025-01-01" },
  { region: "GB", name: "United Kingdom", from: "2025-01-01" },
  { region: "CH", name: "Switzerland", from: "2025-01-01" },
  { region: "CA", name: "Canada", from: "2025-01-01" },
];

/** The regions that are offered at that time. */
export function regionsAt(now: Date): string[] {
  const day = now.toISOString().slice(0, 10);
  return STORAGE_REGIONS.filter(
    ({ from, until }) => from <= day && (until === undefined || day < until),
  ).map(({ region }) => region);
}
