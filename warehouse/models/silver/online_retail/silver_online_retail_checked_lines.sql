with
checked as (select * from {{ ref('silver_online_retail_numbered_lines') }}),

judged as (
    select
        checked.*,
        case
            {%- for rule in online_retail_line_rules() %}
            when {{ rule.when }} then '{{ rule.reason }}'
            {%- endfor %}
        end as rejection_reason
    from checked
),

sound as (
    select
        *,
        -- The n-th line of a product in a quantity on a day, bought or taken back.
        row_number() over (
            partition by
                customer_id, product_id, unit_price, abs(quantity), is_credit_note,
                cast(invoiced_at as date)
            order by invoiced_at, line_id
        ) as day_number
    from judged
    where rejection_reason is null
),

-- A credit note over exactly what was bought earlier on the same day: the line was cancelled, so
-- that it is neither a sale nor a return.
cancelled as (
    select
        bought.line_id as sale_line_id,
        taken_back.line_id as cancellation_line_id
    from sound as bought
    inner join sound as taken_back
        on
            bought.customer_id = taken_back.customer_id
            and bought.product_id = taken_back.product_id
            and bought.unit_price = taken_back.unit_price
            and bought.quantity = -taken_back.quantity
            and bought.day_number = taken_back.day_number
            and cast(bought.invoiced_at as date) = cast(taken_back.invoiced_at as date)
            and bought.invoiced_at <= taken_back.invoiced_at
    where not bought.is_credit_note and taken_back.is_credit_note
),

cancelled_lines as (
    select sale_line_id as line_id from cancelled
    union all
    select cancellation_line_id from cancelled
),

checked_lines as (
    select
        judged.line_id,
        judged.invoice_id,
        judged.customer_id,
        judged.product_id,
        judged.country,
        case
            when judged.rejection_reason is not null then null
            when cancelled_lines.line_id is not null and judged.is_credit_note
                then 'cancellation'
            when cancelled_lines.line_id is not null then 'cancelled sale'
            when judged.is_credit_note then 'return'
            else 'sale'
        end as kind,
        judged.quantity,
        judged.unit_price,
        judged.invoiced_at,
        judged.rejection_reason
    from judged
    left join cancelled_lines on judged.line_id = cancelled_lines.line_id
)

select * from checked_lines
