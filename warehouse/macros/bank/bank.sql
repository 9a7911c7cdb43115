{# The bank's file as a table expression; the row's place in the file is all that tells two
   clients apart. #}
{% macro bank_file() -%}
    {{- csv_files(
        domain_folder('bank'), ['bank-full.csv', 'bank-full.csv.gz'],
        [
            'age', 'job', 'marital', 'education', 'default', 'balance', 'housing', 'loan',
            'contact', 'day', 'month', 'duration', 'campaign', 'pdays', 'previous', 'poutcome', 'y',
        ],
        'python scripts/fetch_data.py bank', delimiter=';', in_order=true
    ) -}}
{%- endmacro %}

{# A word of the bank's, null where it is 'unknown'. #}
{% macro known_word(text) -%}
    nullif({{ text }}, 'unknown')
{%- endmacro %}

{# The number of a month from its first three letters, null where they are no month. #}
{% macro month_number(text) -%}
    nullif(cast(ceil(instr('janfebmaraprmayjunjulaugsepoctnovdec', {{ text }}) / 3.0) as integer), 0)
{%- endmacro %}

{# The rules that a row must keep, in the order in which they are tried: a row is counted under
   the first that it breaks. `when` is read in silver.bank_checked_rows, where copy_number is 2
   and more for a repeated row. #}
{% macro bank_row_rules() -%}
    {{ return([
        {
            'reason': 'age_impossible',
            'rule': 'age missing, no whole number, or outside 16 to 120',
            'when': 'coalesce(age not between 16 and 120, true)',
        },
        {
            'reason': 'number_unreadable',
            'rule': 'balance, contact day, duration or a number of contacts missing or no number',
            'when': 'balance_amount is null or contact_day is null or call_duration_seconds is null'
                ~ ' or campaign_contact_count is null or days_since_contact is null'
                ~ ' or previous_contact_count is null',
        },
        {
            'reason': 'word_missing',
            'rule': 'a column of words is empty',
            'when': 'job is null or marital_status is null or education is null'
                ~ ' or contact_channel is null or previous_outcome is null',
        },
        {
            'reason': 'answer_unreadable',
            'rule': 'default, housing, loan or y is neither yes nor no',
            'when': 'has_default is null or has_housing_loan is null or has_personal_loan is null'
                ~ ' or has_subscribed is null',
        },
        {
            'reason': 'row_repeated',
            'rule': 'equal to an earlier row in every column',
            'when': 'copy_number > 1',
        },
    ]) }}
{%- endmacro %}
