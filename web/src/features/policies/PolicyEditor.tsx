import { Editor } from '../run/Editor'

/** A chunk of its own: the editor is larger than every page. */
export function PolicyEditor({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return <Editor label="Text of the policy" language="toml" onChange={onChange} value={value} />
}
