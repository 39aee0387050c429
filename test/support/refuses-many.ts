import type { Behaviour, ReqEnd } from './scripted-behaviour.ts'

/** Answers what is asked while two others are open in this way. */
export function refusesMany(end: ReqEnd): Behaviour {
  let open = 0
  return {
    onReq: async ({ answer }) => {
      if (open >= 2) return { rows: [], end }
      open += 1
      await new Promise((resolve) => setTimeout(resolve, 5))
      open -= 1
      return answer
    },
  }
}
