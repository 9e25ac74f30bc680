// Plays seeded scenarios of controller and data planes in virtual time and checks what must hold after every event.
//   npm run sim -- --seeds 1000            seeds 1 to 1000
//   npm run sim -- --seed 42               this one, with its last events
//   npm run sim -- --from 5000 --seeds 100
// Exits 1 when a law is broken; the seed is then told with its last events and a smaller scenario that still fails.
import { fileURLToPath } from "node:url";
import { bundleSimulation } from "./sim-bundle.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const { main } = await import(await bundleSimulation());
process.exit(await main(process.argv.slice(2)));
