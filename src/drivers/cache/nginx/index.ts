import { fileURLToPath } from "node:url";
import { DriverError } from "../../../ports/driver-error.ts";
import type { CacheDriverFace } from "../cache-driver.ts";
import { nginxCache } from "./driver.ts";

export { type CacheFiles, type NginxCacheConfig, nginxCache, systemFiles } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "node";

export const driver = {
  product: "nginx",
  async open({ url }, clock) {
    const address = URL.canParse(url) ? new URL(url) : null;
    const wanted = "file:///var/cache/nginx/answers?levels=1:2, the folder and levels of proxy_cache_path";
    if (address?.protocol !== "file:")
      throw new DriverError("rejected", "never", `cache/nginx: url is no folder; expected ${wanted}`);
    const levels = address.searchParams.get("levels") ?? "1:2";
    if (!/^([12](:[12]){0,2})?$/.test(levels))
      throw new DriverError("rejected", "never", `cache/nginx: levels "${levels}" can be none of nginx's`);
    address.search = "";
    return nginxCache({ folder: fileURLToPath(address), clock, levels });
  },
} satisfies CacheDriverFace;
