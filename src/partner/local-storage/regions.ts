/**
 * A country in which Meta stores a number's data; dates (`2026-01-31`) where it begins or ends to be
 * offered on a day that is known.
 */
export type StorageRegion = { region: string; name: string; from?: string; until?: string };

/**
 * 360dialog's list (docs.360dialog.com, docs/hub/local-storage), by the codes of Meta's
 * `data_localization_region`. The page gives no dates: since when it offers these is not known.
 */
export const STORAGE_REGIONS: readonly StorageRegion[] = [
  { region: "IN", name: "India" },
  { region: "SG", name: "Singapore" },
  { region: "ID", name: "Indonesia" },
  { region: "KR", name: "South Korea" },
  { region: "JP", name: "Japan" },
  { region: "AU", name: "Australia" },
  { region: "BR", name: "Brazil" },
  { region: "ZA", name: "South Africa" },
  { region: "BH", name: "Bahrain" },
  { region: "DE", name: "European Union (Germany)" },
  { region: "GB", name: "United Kingdom" },
  { region: "CH", name: "Switzerland" },
  { region: "CA", name: "Canada" },
];

/** The regions that are offered at that time. */
export function regionsAt(now: Date): string[] {
  const day = now.toISOString().slice(0, 10);
  return STORAGE_REGIONS.filter(
    ({ from, until }) =>
      (from === undefined || from <= day) && (until === undefined || day < until),
  ).map(({ region }) => region);
}
