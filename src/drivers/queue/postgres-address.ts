import { DriverError } from "../../ports/driver-error.ts";

/** The address with the password in it; a secret that is a whole address is that address. */
export function postgresAddress(driver: string, url: string, secret: string | null): string {
  const isAddress = (text: string) => URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol);
  if (secret !== null && isAddress(secret)) return secret;
  if (!isAddress(url))
    throw new DriverError("rejected", "never", `${driver}: url is no postgres:// address; correct it`);
  const address = new URL(url);
  if (secret !== null) address.password = secret;
  return address.href;
}
