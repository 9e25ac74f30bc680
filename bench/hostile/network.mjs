// A network of its own for the benchmark, as between machines: packets of 1 500 bytes, and buffers of half a megabyte. On
// plain loopback one client that does not read fills megabytes of the kernel, and thousands exhaust what it has for all.
import { spawnSync } from "node:child_process";

const SCRIPT = `ip link set lo mtu 1500 up
for kind in rmem wmem; do echo "4096 131072 524288" > /proc/sys/net/ipv4/tcp_$kind; done
exec "$@"`;

/** Runs this process again in that network and ends with it; goes on where it is when the system allows none. */
export function enterOwnNetwork() {
  if (process.env.SLUICE_BENCH_NETWORK === "1") return;
  const isAllowed = spawnSync("unshare", ["-n", "ip", "link", "set", "lo", "up"], { stdio: "ignore" }).status === 0;
  if (!isAllowed) {
    console.error("no network of its own (needs root, unshare and ip): on plain loopback, whose buffers all share");
    return;
  }
  const again = ["-n", "sh", "-c", SCRIPT, "sh", process.execPath, ...process.argv.slice(1)];
  const env = { ...process.env, SLUICE_BENCH_NETWORK: "1" };
  process.exit(spawnSync("unshare", again, { stdio: "inherit", env }).status ?? 1);
}
