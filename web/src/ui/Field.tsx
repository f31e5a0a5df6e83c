import { type ComponentProps, type ReactNode, useId } from 'react'

import { cx } from './cx'

const box =
  'w-full rounded-md border border-line-strong bg-panel px-2 text-base text-ink outline-none focus-visible:border-accent focus-visible:ring-2 focus-visible:ring-accent/30 [&[type=date]]:focus-within:border-accent [&[type=date]]:focus-within:ring-2 [&[type=date]]:focus-within:ring-accent/30 aria-invalid:border-bad'

type FieldProps = {
  label: ReactNode
  hint?: ReactNode
  error?: ReactNode
  children: (ids: { id: string; 'aria-describedby': string | undefined; 'aria-invalid': boolean | undefined }) => ReactNode
  className?: string
}

/** A label, a control, and what helps or what is wrong. */
export function Field({ label, hint, error, children, className }: FieldProps) {
  const id = useId()
  const note = `${id}-note`
  return (
    <div className={cx('flex min-w-0 flex-col gap-1', className)}>
      <label className="label" htmlFor={id}>
        {label}
      </label>
      {children({ id, 'aria-describedby': hint || error ? note : undefined, 'aria-invalid': error ? true : undefined })}
      {(error || hint) && (
        <p className={cx('text-sm', error ? 'text-bad' : 'text-ink-3')} id={note}>
          {error || hint}
        </p>
      )}
    </div>
  )
}

export function Input({ className, ...props }: ComponentProps<'input'>) {
  return <input autoComplete="off" spellCheck={false} {...props} className={cx(box, 'h-7.5', className)} />
}

export function Area({ className, ...props }: ComponentProps<'textarea'>) {
  return <textarea spellCheck={false} {...props} className={cx(box, 'py-1.5', className)} />
}

/** A file, read as text by whoever asked. Nothing is sent anywhere by choosing one. */
export function FileInput({ className, ...props }: Omit<ComponentProps<'input'>, 'type' | 'value'>) {
  return (
    <input
      {...props}
      className={cx(
        'w-full min-w-0 rounded-md text-ink-2 file:mr-3 file:h-7.5 file:cursor-pointer file:rounded-md file:border file:border-solid file:border-line-strong file:bg-raised file:px-2.5 file:text-ink hover:file:bg-hover',
        className,
      )}
      type="file"
    />
  )
}

export function Select({ className, children, ...props }: ComponentProps<'select'>) {
  return (
    <select {...props} className={cx(box, 'h-7.5 pr-6', className)}>
      {children}
    </select>
  )
}

export function Check({ label, className, ...props }: ComponentProps<'input'> & { label: ReactNode }) {
  return (
    <label className={cx('inline-flex cursor-pointer items-start gap-2', className)}>
      <input {...props} className="mt-[3px] size-3.5 accent-accent" type="checkbox" />
      <span>{label}</span>
    </label>
  )
}
