/** The account an address of New Relic names as `?account=`; null when it names none. */
export function accountOf(url: string): number | null {
  const text = URL.canParse(url) ? (new URL(url).searchParams.get("account") ?? "") : "";
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}
