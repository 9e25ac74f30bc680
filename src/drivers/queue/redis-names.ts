/** Names of the keys that are ours. A queue's consumers share its cluster slot, so that one script may touch both. */
export function redisNames(prefix: string) {
  const tagOf = (queue: string) => /\{([^}]+)\}/.exec(queue)?.[1] ?? queue;
  return {
    states: (queue: string) => `${prefix}:states:{${tagOf(queue)}}:${queue}`,
    pointer: (pointer: string) => `${prefix}:pointer:${pointer}`,
  };
}
