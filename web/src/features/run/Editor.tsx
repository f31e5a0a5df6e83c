import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { HighlightStyle, StreamLanguage, bracketMatching, indentUnit, syntaxHighlighting } from '@codemirror/language'
import { python } from '@codemirror/legacy-modes/mode/python'
import { toml } from '@codemirror/legacy-modes/mode/toml'
import { shell } from '@codemirror/legacy-modes/mode/shell'
import { Compartment, EditorState } from '@codemirror/state'
import { EditorView, drawSelection, highlightSpecialChars, keymap, lineNumbers, placeholder } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useEffectEvent, useRef } from 'react'

import { styleNonce } from '~/lib/nonce'

export type Language = 'sh' | 'bash' | 'python3' | 'toml'

type Props = { value: string; onChange: (value: string) => void; language: Language; label: string; describedBy?: string }

/**
 * The script's editor. Tab leaves it, as it leaves every field; Ctrl-Enter opens the sheet. It shows control and direction
 * characters as marks, so that what is signed is what is seen.
 */
export function Editor({ value, onChange, language, label, describedBy }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  const languages = useRef(new Compartment())
  const changed = useEffectEvent((text: string) => onChange(text))
  const start = useEffectEvent((parent: HTMLElement) => {
    view.current = new EditorView({
      parent,
      state: EditorState.create({
        doc: value,
        extensions: [
          EditorView.cspNonce.of(styleNonce()),
          lineNumbers(),
          history(),
          drawSelection(),
          highlightSpecialChars({ addSpecialChars: /\u034f|[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g }),
          bracketMatching(),
          indentUnit.of('  '),
          EditorState.tabSize.of(2),
          syntaxHighlighting(colours),
          theme,
          placeholder('#!/bin/sh\nset -eu\n'),
          keymap.of([...defaultKeymap.filter((binding) => binding.key !== 'Mod-Enter'), ...historyKeymap]),
          languages.current.of(languageOf(language)),
          // Editable text has the focus anyway; said outright, it is also what scrolls for whoever has no mouse.
          EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': label, ...(describedBy ? { 'aria-describedby': describedBy } : {}) }),
          EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
        ],
      }),
    })
  })

  useEffect(() => {
    if (place.current) start(place.current)
    return () => view.current?.destroy()
  }, [])
  useEffect(() => {
    view.current?.dispatch({ effects: languages.current.reconfigure(languageOf(language)) })
  }, [language])
  useEffect(() => {
    const current = view.current
    if (!current || current.state.doc.toString() === value) return
    current.dispatch({ changes: { from: 0, to: current.state.doc.length, insert: value } })
  }, [value])

  return <div className="min-h-60 overflow-hidden rounded-md border border-line-strong bg-panel focus-within:border-accent focus-within:ring-2 focus-within:ring-accent/30" ref={place} />
}

function languageOf(language: Language) {
  return StreamLanguage.define(language === 'python3' ? python : language === 'toml' ? toml : shell)
}

const theme = EditorView.theme({
  '&': { height: '22rem', fontSize: '12.5px', color: 'var(--c-ink)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '19px' },
  '.cm-gutters': { background: 'var(--c-sunken)', color: 'var(--c-ink-3)', border: 'none' },
  '.cm-content': { caretColor: 'var(--c-ink)', padding: '6px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--c-ink)' },
  '.cm-placeholder': { color: 'var(--c-ink-3)' },
  '.cm-specialChar': { color: 'var(--c-warn)', background: 'var(--c-warn-soft)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--c-accent) 24%, transparent) !important',
  },
  '&.cm-focused .cm-matchingBracket': { background: 'var(--c-accent-soft)', color: 'inherit' },
})

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.definitionKeyword], color: 'var(--c-accent)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--c-ok)' },
  { tag: [tags.comment, tags.meta], color: 'var(--c-ink-3)', fontStyle: 'italic' },
  { tag: [tags.number, tags.atom, tags.bool], color: 'var(--c-warn)' },
  { tag: [tags.variableName, tags.definition(tags.variableName)], color: 'var(--c-frost)' },
  { tag: tags.standard(tags.variableName), color: 'var(--c-accent)' },
])
