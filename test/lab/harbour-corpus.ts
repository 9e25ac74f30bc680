import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A small corpus of its own: four documents about an invented harbour, one section a line, with a question each. */
const SECTIONS: readonly (readonly [doc: string, name: string, text: string, question: string])[] = [
  [
    "berths",
    "prices",
    "A berth for one night costs nine crowns. Boats longer than twelve metres pay fourteen crowns. The harbour master collects the money every evening and gives a receipt that must hang at the mast.",
    "How many crowns does a berth cost for one night?",
  ],
  [
    "berths",
    "power",
    "Electric sockets stand on the west pier only. A blue cable with three pins fits all of them. Unplug the cable before a thunderstorm, because the fuses are old and the caretaker lives on the mainland.",
    "Where do I find electric sockets on the pier?",
  ],
  [
    "berths",
    "mooring",
    "Moor with two ropes, one at the bow and one at the stern, and hang at least four fenders on each side. The tide lifts boats by a metre and a half, so leave the ropes long enough.",
    "How many ropes and fenders are needed to moor?",
  ],
  [
    "berths",
    "departure",
    "Leave the berth before noon. Whoever stays longer pays for another night. Report the departure by radio on channel nine so that the bridge can be opened in time.",
    "By what time must I leave the berth at departure?",
  ],
  [
    "berths",
    "winter",
    "From November to March all boats lie on land under canvas. The crane lifts them out on the first Saturday of November, and owners remove batteries and fuel beforehand.",
    "When does the crane lift boats out for the winter?",
  ],
  [
    "supplies",
    "fuel",
    "Diesel and petrol are sold at the eastern pontoon from seven in the morning until six in the evening. Payment is by card. Smoking within twenty metres of the pumps is forbidden.",
    "Where is diesel sold and until what hour?",
  ],
  [
    "supplies",
    "water",
    "Drinking water flows from the green taps beside the boathouse. The red taps carry lake water for washing decks and must not be drunk. Bring your own hose of at least fifteen metres.",
    "Which taps give drinking water?",
  ],
  [
    "supplies",
    "shop",
    "The shop in the old lighthouse sells bread, charts, rope and lamp oil. It is closed on Mondays and during funerals. Fresh fish arrives on Thursdays with the mail boat.",
    "On which day does fresh fish arrive at the shop?",
  ],
  [
    "supplies",
    "waste",
    "Glass, paper and used oil go into the containers behind the sail loft. Flares past their date are handed to the harbour master in person and never thrown away.",
    "What should be done with flares past their date?",
  ],
  [
    "supplies",
    "repairs",
    "The sailmaker mends torn sails within two days. Engines are repaired by the workshop at the slipway, which keeps propellers and impellers for the common makes in stock.",
    "Who mends torn sails and how quickly?",
  ],
  [
    "nature",
    "terns",
    "Terns nest on the gravel island north of the entrance. Nobody may land there between April and July, and dogs stay on board within sight of the colony.",
    "In which months may nobody land on the gravel island of the terns?",
  ],
  [
    "nature",
    "seals",
    "Grey seals rest on the sandbank at low water. Keep two hundred metres away, switch off the engine and let them go back into the sea by themselves.",
    "How far should one keep away from grey seals?",
  ],
  [
    "nature",
    "seagrass",
    "Seagrass meadows cover the southern bay. Anchors tear the roots, so anchoring is allowed only at the twelve yellow buoys laid out for visitors.",
    "Why is anchoring in the seagrass bay allowed at yellow buoys only?",
  ],
  [
    "nature",
    "stars",
    "On moonless nights the lamps of the harbour are dimmed so that visitors can see the Milky Way. A telescope stands on the roof of the observatory and may be used without a fee.",
    "Where can a telescope be used without a fee?",
  ],
  [
    "nature",
    "mushrooms",
    "In the birch forest behind the dunes chanterelles grow from August on. Each family may carry home one basket, and picking with rakes is punished with a fine.",
    "How many baskets of chanterelles may a family carry home?",
  ],
  [
    "safety",
    "storm",
    "A black ball at the signal mast announces a storm within six hours. Double the ropes, take down awnings and do not cross the bar, where breaking waves have sunk several yachts.",
    "What announces a storm at the signal mast?",
  ],
  [
    "safety",
    "rescue",
    "The lifeboat crew is reached by radio on channel sixteen or by the yellow telephone at the slipway. State position, number of people and the kind of distress.",
    "On which radio channel is the lifeboat crew reached?",
  ],
  [
    "safety",
    "fire",
    "Extinguishers hang in red boxes every thirty metres along the pier. Push a burning boat away from its neighbours with the long poles before fighting the flames.",
    "Where do the extinguishers hang along the pier?",
  ],
  [
    "safety",
    "fog",
    "In fog the horn at the breakwater sounds twice a minute. Boats with radar have no priority, and ferries announce themselves on channel twelve before they pass the narrows.",
    "How often does the horn sound in fog?",
  ],
  [
    "safety",
    "children",
    "Children under ten wear a life jacket on all pontoons. Jackets in every size are lent at the office against a deposit of five crowns.",
    "Who must wear a life jacket on the pontoons?",
  ],
];

/** Question and the section that answers it. */
export const HARBOUR_GOLD = SECTIONS.map(([doc, name, , question]) => ({ doc, section: `${doc}#${name}`, question }));

export const HARBOUR_QUESTIONS = HARBOUR_GOLD.map(({ question }) => question);

export const UNANSWERABLE = "Which orchestra recorded the symphonies of Mahler in Chicago?";

/** Writes the corpus as JSON lines into a new temporary folder; `remove` deletes the folder. */
export async function harbourCorpus(): Promise<{ path: string; folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "lab-harbour-"));
  const path = join(folder, "harbour.jsonl");
  const lines = SECTIONS.map(([doc, name, text]) => JSON.stringify({ doc, section: `${doc}#${name}`, text }));
  await writeFile(path, `${lines.join("\n")}\n`);
  return { path, folder, remove: () => rm(folder, { recursive: true }) };
}
