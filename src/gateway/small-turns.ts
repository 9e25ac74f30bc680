/** So many tasks between two looks at what else came. */
const TASKS_A_TURN = 16;

/** Does what falls due all at once a little at a time: whoever else waits is served in between. */
export class SmallTurns {
  #tasks: (() => void)[] = [];
  #done = 0;

  add(task: () => void): void {
    if (this.#tasks.push(task) === 1) setImmediate(turn, this);
  }

  turn(): void {
    const until = Math.min(this.#tasks.length, this.#done + TASKS_A_TURN);
    while (this.#done < until) this.#tasks[this.#done++]?.();
    if (this.#done < this.#tasks.length) {
      setImmediate(turn, this);
      return;
    }
    this.#tasks = [];
    this.#done = 0;
  }
}

function turn(turns: SmallTurns): void {
  turns.turn();
}
