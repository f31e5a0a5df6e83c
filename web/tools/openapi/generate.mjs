// Makes src/api/schema.ts from openapi.json; with --check it only says whether that is what stands there.
import { readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString } from 'openapi-typescript'

const source = new URL('../../openapi.json', import.meta.url)
const target = new URL('../../src/api/schema.ts', import.meta.url)
const document = JSON.parse(readFileSync(source, 'utf8'))
// Routes are named by their paths; without names of their own the types stand at the paths.
for (const path of Object.values(document.paths)) for (const operation of Object.values(path)) delete operation.operationId

// An enumeration with a description of its own comes as the enumeration and an object without properties, which no value is.
for (const schema of Object.values(document.components.schemas)) {
  for (const property of Object.values(schema.properties ?? {})) {
    if (property.allOf) property.allOf = property.allOf.filter((one) => !(one.type === 'object' && !one.properties))
  }
}

const nodes = await openapiTS(document, { alphabetize: true, rootTypes: true, rootTypesNoSchemaPrefix: true, silent: true })
const text = `// Made from openapi.json by \`npm run api\`; do not edit.\n\n${astToString(nodes)}`
if (!process.argv.includes('--check')) {
  writeFileSync(target, text)
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('src/api/schema.ts is not what openapi.json says: run `npm run api` and look at what no longer compiles.')
  process.exit(1)
} else {
  console.log('src/api/schema.ts is what openapi.json says')
}
