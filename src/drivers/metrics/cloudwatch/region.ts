/** Region in the address of CloudWatch: its public, FIPS and Chinese hosts, and interface endpoints. */
const REGION = /\bmonitoring(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d)\./;

/** Null when the address names none. */
export function regionOf(url: string): string | null {
  return REGION.exec(url)?.[1] ?? null;
}
