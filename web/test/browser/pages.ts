/** Every page with its address in the mock, and what shows that it is there. */
export const pages: readonly { name: string; path: string; heading: RegExp }[] = [
  { name: 'start', path: '/', heading: /Good to see you/ },
  { name: 'first-run', path: '/?mock-story=new', heading: /Start/ },
  { name: 'fleet', path: '/fleet', heading: /Fleet/ },
  { name: 'fleet-empty', path: '/fleet?mock-story=empty', heading: /Fleet/ },
  { name: 'approvals', path: '/approvals', heading: /Approvals/ },
  { name: 'run', path: '/run?on=%5B%22tenant%3Aacme%22%5D', heading: /Run a script/ },
  { name: 'jobs', path: '/jobs', heading: /Jobs/ },
  { name: 'orders', path: '/orders', heading: /Standing orders/ },
  { name: 'freezes', path: '/freezes', heading: /Freezes/ },
  { name: 'trust', path: '/trust', heading: /Trust/ },
  { name: 'trust-classes', path: '/trust?tab=classes', heading: /Trust/ },
  { name: 'trust-history', path: '/trust?tab=history', heading: /Trust/ },
  { name: 'log', path: '/log', heading: /Log/ },
  { name: 'settings', path: '/settings', heading: /Settings/ },
  { name: 'unreachable', path: '/fleet?mock-story=unreachable', heading: /Fleet/ },
  { name: 'session-ended', path: '/?no-session', heading: /Open the console/ },
]
