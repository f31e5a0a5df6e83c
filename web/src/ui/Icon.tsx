/** Strokes on a grid of 16, drawn for this console. */
const paths = {
  fleet: 'M2 3.5h12v7H2zM5.5 13.5h5M8 10.5v3',
  inbox: 'M2 9.5 4 3h8l2 6.5V13H2zM2 9.5h3.5l1 1.5h3l1-1.5H14',
  play: 'M4.5 3v10l8-5z',
  jobs: 'M5.5 4H14M5.5 8H14M5.5 12H14M2 4h.5M2 8h.5M2 12h.5',
  shield: 'M8 1.8 13 3.5v4c0 3.3-2.2 5.5-5 6.7-2.8-1.2-5-3.4-5-6.7v-4z',
  book: 'M3 2.5h8.5a1.5 1.5 0 0 1 1.5 1.5v9.5H4.5A1.5 1.5 0 0 1 3 12zM3 12a1.5 1.5 0 0 1 1.5-1.5H13M6 5.5h4',
  repeat: 'M3 7V5.5A1.5 1.5 0 0 1 4.5 4H13l-2-2M13 9v1.5a1.5 1.5 0 0 1-1.5 1.5H3l2 2M13 4l-2 2M3 12l2-2',
  gear: 'M8 5.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4M8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5M11 11l1.4 1.4M12.4 3.6 11 5M5 11l-1.4 1.4',
  check: 'M3 8.5 6.5 12 13 4.5',
  close: 'M4 4l8 8M12 4l-8 8',
  chevron: 'M6 4l4 4-4 4',
  down: 'M4 6l4 4 4-4',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.5 10.5 14 14',
  snow: 'M8 1.5v13M2.4 4.8l11.2 6.4M13.6 4.8 2.4 11.2M6.3 2.6 8 4.2l1.7-1.6M6.3 13.4 8 11.8l1.7 1.6',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  alert: 'M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.5v.3',
  info: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M8 7.2v4M8 4.8v.3',
  clock: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M8 4.5V8l2.5 1.5',
  key: 'M5.5 8a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2M7.4 8.7 13 3M11 5l1.8 1.8M9 7l1.4 1.4',
  menu: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  moon: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  home: 'M2 7.5 8 2.5l6 5M3.5 6.5v7h9v-7M6.5 13.5v-4h3v4',
  building: 'M3 14V2.5h6V14M9 6h4v8M1.5 14h13M5 5h2M5 7.5h2M5 10h2',
  plus: 'M8 3v10M3 8h10',
  external: 'M6.5 3.5h-4v10h10v-4M9.5 2.5h4v4M13.5 2.5 7 9',
  link: 'M6.5 9.5l3-3M7.5 4.5 9 3a2.8 2.8 0 0 1 4 4l-1.5 1.5M8.5 11.5 7 13a2.8 2.8 0 0 1-4-4l1.5-1.5',
  stop: 'M4 4h8v8H4z',
  forward: 'M3 3.5v9L8.5 8zM9 3.5v9L14.5 8z',
  diff: 'M8 2.5v6M5 5.5h6M5 12.5h6',
  bookmark: 'M4 2.5h8v11L8 10.5 4 13.5z',
  download: 'M8 2.5v7.5M4.8 7 8 10.2 11.2 7M2.5 13.5h11',
  bell: 'M8 2a4 4 0 0 0-4 4v3L2.5 11.5h11L12 9V6a4 4 0 0 0-4-4M6.5 13.5h3',
  pulse: 'M1.5 8.5H5l1.5-5 3 9 1.5-4h3.5',
  up: 'M4 10l4-4 4 4',
  columns: 'M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10',
  filter: 'M2 3.5h12L9.5 8.7V13l-3-1.5V8.7z',
  terminal: 'M2 3h12v10H2zM4.5 6l2 2-2 2M8.5 10h3',
  user: 'M8 2.5a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4M2.8 13.5c.5-2.6 2.5-4 5.2-4s4.7 1.4 5.2 4',
} as const

export type IconName = keyof typeof paths

export function Icon({ name, size = 16, className }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      className={className}
      fill="none"
      height={size}
      stroke="currentColor"
      strokeLinecap="round"
      strokeLinejoin="round"
      strokeWidth="1.4"
      viewBox="0 0 16 16"
      width={size}
    >
      <path d={paths[name]} />
    </svg>
  )
}

/** The turret. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg aria-hidden="true" height={size} viewBox="0 0 32 32" width={size}>
      <rect className="fill-accent" height="32" rx="8" width="32" />
      <path className="fill-accent-ink" d="M8 7h3v3h3V7h4v3h3V7h3v8l-2 2v3l-6 6-6-6v-3l-2-2z" />
      <path className="fill-accent" d="M15 14h2v5h-2z" />
    </svg>
  )
}
