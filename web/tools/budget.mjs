// Fails when the first load of the console needs more than 250 KB of compressed script.
import { readFileSync, readdirSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const limitKb = 250
const folder = process.argv[2] ?? 'dist'
const manifest = JSON.parse(readFileSync(`${folder}/.vite/manifest.json`, 'utf8'))
const size = (file) => gzipSync(readFileSync(`${folder}/${file}`), { level: 9 }).length / 1000

const entry = Object.keys(manifest).find((name) => manifest[name].isEntry)
if (!entry) throw new Error(`${folder}: no entry in the manifest; run \`npm run build\``)
const first = new Set()
const visit = (name) => {
  if (first.has(name)) return
  first.add(name)
  for (const next of manifest[name].imports ?? []) visit(next)
}
visit(entry)

const rows = [...first].map((name) => [manifest[name].file, size(manifest[name].file)]).toSorted((a, b) => b[1] - a[1])
const total = rows.reduce((sum, [, kb]) => sum + kb, 0)
const all = readdirSync(`${folder}/assets`).filter((name) => name.endsWith('.js'))
const everything = all.reduce((sum, name) => sum + size(`assets/${name}`), 0)
for (const [file, kb] of rows) console.log(`  ${kb.toFixed(1).padStart(7)} KB  ${file}`)
console.log(`first load ${total.toFixed(1)} KB of compressed script (limit ${limitKb} KB); every page ${everything.toFixed(1)} KB`)
if (total > limitKb) {
  console.error('Too much: load what not every page needs with lazyRouteComponent or lazy().')
  process.exit(1)
}
