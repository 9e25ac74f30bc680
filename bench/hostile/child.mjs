// What the benchmark runs on a core of its own: node child.mjs service PORT | users PORT SECONDS PER_SECOND | attack PORT NAME…
import { ATTACKS, begin } from "./attacks.mjs";
import { startService } from "./service.mjs";
import { askEvenly } from "./users.mjs";

const [role, port, ...rest] = process.argv.slice(2);
const roles = {
  service: () => startService(Number(port)),
  async users() {
    const [seconds, perSecond] = rest.map(Number);
    console.log(JSON.stringify(await askEvenly({ port: Number(port), seconds, perSecond })));
    process.exit(0);
  },
  attack() {
    const attacks = ATTACKS.filter(({ name }) => rest.includes(name)).map((attack) => begin(attack, Number(port)));
    process.once("SIGTERM", () => {
      console.log(JSON.stringify(attacks.map(({ stats }) => stats())));
      process.exit(0);
    });
    setInterval(() => {}, 1_000);
  },
};
await roles[role]();
